"""Would half-precision or int8 weights pay in numpy? Products of a network's matrices, in every way numpy has.

    python benchmarks/narrow_weights.py
    python benchmarks/narrow_weights.py --hidden 512 --rounds 100

A generated character costs what it costs to read the weights (generation.py), so fewer bytes should be faster, if
numpy could multiply them. Here are all recurrent and input products of 2 × HIDDEN LSTMs (embedding 128, batch 1)
on one thread, each way in turn, in processor time:

    float32            np.dot, BLAS: what the engine does
    float16            np.dot of float16, which numpy has no BLAS for
    float16, widened   a block of rows at a time is widened to float32 in a buffer that stays in the cache, then np.dot:
                       half the bytes from memory
    int8               np.matmul with int32 results, which numpy has no BLAS for
    int8, widened      as above, a quarter of the bytes; its rows' scales are applied to the result

A ratio above 1 says that float32 is that much faster. Errors are of one product, relative to its largest number.
"""

from __future__ import annotations

import os

os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1")

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from table import STANDARD, machine, print_table, row

Array = npt.NDArray[np.float32]
EMBEDDING = 128
BLOCK_BYTES = 1 << 18  # of widened rows: well inside a core's second cache


class Product:
    """One matrix in every form; each method writes matrix × vector to `result`."""

    def __init__(self, dice: np.random.Generator, rows: int, columns: int) -> None:
        self.wide = dice.normal(0, 0.05, (rows, columns)).astype(np.float32)
        self.vector = dice.uniform(-1, 1, columns).astype(np.float32)
        self.half, self.half_vector = self.wide.astype(np.float16), self.vector.astype(np.float16)
        self.scale = np.abs(self.wide).max(axis=1) / 127
        self.bytes = np.rint(self.wide / self.scale[:, None]).astype(np.int8)
        self.byte_vector = np.rint(self.vector * 127).astype(np.int8)
        self.result = np.empty(rows, np.float32)
        self.buffer = np.empty((max(1, BLOCK_BYTES // 4 // columns), columns), np.float32)

    def float32(self) -> None:
        np.dot(self.wide, self.vector, out=self.result)

    def float16(self) -> None:
        self.result[:] = np.dot(self.half, self.half_vector)

    def float16_widened(self) -> None:
        self._widened(self.half)

    def int8(self) -> None:
        whole = np.matmul(self.bytes, self.byte_vector, dtype=np.int32)
        np.multiply(whole, self.scale / 127, out=self.result)

    def int8_widened(self) -> None:
        self._widened(self.bytes)
        np.multiply(self.result, self.scale, out=self.result)

    def _widened(self, narrow: npt.NDArray[np.float16] | npt.NDArray[np.int8]) -> None:
        for start in range(0, len(narrow), len(self.buffer)):
            part = narrow[start : start + len(self.buffer)]
            block = self.buffer[: len(part)]
            np.copyto(block, part)
            np.dot(block, self.vector, out=self.result[start : start + len(part)])


WAYS: dict[str, Callable[[Product], None]] = {
    "float32": Product.float32,
    "float16": Product.float16,
    "float16, widened": Product.float16_widened,
    "int8": Product.int8,
    "int8, widened": Product.int8_widened,
}


def products_of(hidden: int) -> list[Product]:
    """The matrices of a 2 × hidden LSTM."""
    dice = np.random.default_rng(0)
    shapes = [(4 * hidden, columns) for columns in (EMBEDDING, hidden, hidden, hidden)]
    return [Product(dice, *shape) for shape in shapes]


def measure(products: list[Product], rounds: int) -> dict[str, float]:
    """Median seconds of all products, by way, in turn; a call before each turn is not timed."""
    seconds: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(rounds):
        for name, way in WAYS.items():
            for timed in (False, True):
                started = time.process_time()
                for product in products:
                    way(product)
                if timed:
                    seconds[name].append(time.process_time() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}


def errors(product: Product) -> dict[str, float]:
    """Largest difference from float64, relative to the largest number of the product."""
    truth = product.wide.astype(np.float64) @ product.vector.astype(np.float64)
    found = {}
    for name, way in WAYS.items():
        way(product)
        found[name] = float(np.abs(product.result - truth).max() / np.abs(truth).max())
    return found


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hidden", type=int, nargs="+", default=[512, 1024])
    parser.add_argument("--rounds", type=int, default=30)
    given = parser.parse_args()
    print(f"{machine()}, numpy {np.__version__}, one thread")
    rows = []
    for hidden in given.hidden:
        products = products_of(hidden)
        seconds, wrong = measure(products, given.rounds), errors(products[-1])
        megabytes = sum(product.wide.nbytes for product in products) / 1e6
        for name in list(WAYS)[1:]:
            rows.append(
                row(
                    f"2 × {hidden}, {megabytes:.1f} MB of float32: float32 against {name}",
                    f"{seconds['float32'] * 1e6:,.0f} µs",
                    f"{seconds[name] * 1e6:,.0f} µs, error {wrong[name]:.1g}",
                    seconds[name] / seconds["float32"],
                )
            )
    columns = list(STANDARD)
    columns[3] = "peer / ours"
    print_table(columns, rows)


if __name__ == "__main__":
    main()
