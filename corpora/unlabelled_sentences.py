"""Sentences without labels for a classifier's teachers: reviews, an encyclopaedia, a dictionary's examples, variations.

    apt install wordnet-base
    python corpora/unlabelled_sentences.py --reviews imdb/unlabelled.txt.xz --wiki wikitext2/train.txt.xz \\
        --output sentences.txt
    python corpora/unlabelled_sentences.py … --nodes sst/negated_nodes_train.tsv.xz --output nodes.txt
    python corpora/unlabelled_sentences.py … --clauses --output clauses.txt

A student learns from its teacher where it hears it, so the sentences should hold the words that people use and the
labelled ones lack. WordNet (Fellbaum 1998) has an example of each sense of most words; Wikipedia (Merity et al. 2017)
has names, places and numbers, which in reviews stand beside praise and blame only. An everyday sentence in which a word
gives way to a relative of it ("The lump is benign" → "The lump is malignant") shows what a single word does: Tang et
al. (2019, arXiv:1903.12136) exchanged words for their students. Not all of these are good English; only teachers read
them. Variations are made of the sentences that a training learns from, not of those that it holds out.

With `--nodes` it is phrases of trees that have a negator, each beside the same without it, words exchanged in both:
what a negator takes away from a bad word and from a good one. With `--clauses` it is what people wrote: from a
negator to the end of its clause, in reviews and everyday sentences, beside the same without it.
"""

from __future__ import annotations

import argparse
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from lstmtext.files import write_atomically
from lstmtext.text.corpus import open_corpus
from lstmtext.text.labelled import plain_key, read_source, split_examples
from lstmtext.text.rows import records

PARTS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
WORDS = (4, 45)  # in a sentence
CLAUSE_WORDS = (1, 12)  # behind a negator
REVIEW_SENTENCES, EXCHANGED = 110_000, 120_000
TRIES = 3  # for each: some sentences have no word to exchange, some come out twice
CLAUSES = 240_000  # with and without a negator
VARIATIONS = 12  # of a tree node
SENSES = 2  # of a word; later ones are rare
LARGEST_FAMILY = 60  # words below one word; above that they have little in common
SEEN = 12  # times in reviews and encyclopaedia; rarer words are nobody's everyday
RELATED = {"@": "kind of", "&": "similar", "!": "opposite", "=": "attribute"}
# Words of grammar and negation stay: with them the sentence would be another one.
KEPT = frozenset(
    """
    a an the i you he she it we they is are was were be been being am do does did done has have had having not no
    never to of in on at by for with from and or but if as so than that this these those there here my your his her
    its our their me him us them will would can could should may might must just very too also only even still yet
    once then when who what which how why where all any some one two nothing nobody hardly barely without cannot
    less least more most much many little few neither nor none up out off over down about after before again away
    back well now like right last first next own other same
    """.split()  # noqa: SIM905
)
AUXILIARY = "do|does|did|is|are|was|were|have|has|had|ca|can|could|wo|will|would|should|must|may|might|need|ai"
NEGATOR = re.compile(
    rf"\b(?:(?:{AUXILIARY})n['’]t|cannot|(?:(?:{AUXILIARY}) )?(?:not|never)|no|nothing|none|nobody|without|neither|nor"
    r"|hardly|barely|rarely|scarcely)\b",
    re.IGNORECASE,
)
MARK = re.compile(r"[.,;:!?()\"“”*/…–—]| -")
CONJUNCTION = re.compile(r" (?:but|because|although|though|while|when|if|and|so|since|which|who|that|as|until) ")
Key = tuple[str, str]
"""Part of speech and place of a synset."""


class WordNet:
    """Examples and relatives of words. folder: with data.noun, index.noun …"""

    def __init__(self, folder: Path) -> None:
        self.examples: list[str] = []
        self.members: dict[Key, list[str]] = {}
        self.relations: dict[Key, list[tuple[str, Key]]] = {}
        self.below: defaultdict[Key, list[Key]] = defaultdict(list)
        self.senses: defaultdict[Key, list[Key]] = defaultdict(list)
        for name, part in PARTS.items():
            for line in self._lines(folder / f"data.{name}"):
                facts, _, gloss = line.partition("|")
                self.examples += re.findall(r'"([^"]{8,})"', gloss)
                self._read_synset(facts.split())
            for line in self._lines(folder / f"index.{name}"):
                fields = line.split()
                self.senses[part, fields[0]] = [(part, place) for place in fields[-int(fields[2]) :]]
        for key, relations in self.relations.items():
            for kind, other in relations:
                if kind in ("@", "@i", "&"):
                    self.below[other].append(key)

    @staticmethod
    def _lines(path: Path) -> Iterator[str]:
        with path.open(encoding="latin-1") as file:
            yield from (line for line in file if not line.startswith("  "))  # the licence is indented

    def _read_synset(self, fields: list[str]) -> None:
        part = fields[2].replace("s", "a")
        words = int(fields[3], 16)
        pointers = fields[5 + 2 * words :]
        self.members[part, fields[0]] = [re.sub(r"\(.*\)", "", word).lower() for word in fields[4 : 4 + 2 * words : 2]]
        self.relations[part, fields[0]] = [
            (pointers[at], (pointers[at + 2].replace("s", "a"), pointers[at + 1]))
            for at in range(0, 4 * int(fields[4 + 2 * words]), 4)
        ]

    def relatives(self, part: str, word: str) -> set[str]:
        """Words of the same sense, near senses and the opposite one; words below the same word."""
        found: set[str] = set()
        for key in self.senses.get((part, word), [])[:SENSES]:
            found.update(self.members[key])
            for kind, other in self.relations[key]:
                if kind not in RELATED or other[0] != part:
                    continue
                if kind in "&!":
                    found.update(self.members[other])
                if len(self.below[other]) < LARGEST_FAMILY:
                    found.update(word for sibling in self.below[other] for word in self.members[sibling])
        return {other for other in found if other != word and other.isalpha()}


def forms(word: str) -> Iterator[tuple[str, str, Callable[[str], str]]]:
    """What a word may be a form of, with the parts of speech, and how another word is put into that form."""
    yield word, "arnv", str
    if len(word) > 4 and word.endswith("s") and not word.endswith("ss"):
        yield word[:-1], "n", lambda other: other + "s"
    if len(word) > 6 and word.endswith("ing"):
        yield word[:-3], "v", lambda other: other.removesuffix("e") + "ing"
    if len(word) > 5 and word.endswith("ed"):
        for base in (word[:-2], word[:-1]):
            yield base, "v", lambda other: other.removesuffix("e") + "ed"


class Exchange:
    """Words that may stand for a word: relatives in the same form that are seen often enough."""

    def __init__(self, wordnet: WordNet, seen: Counter[str], generator: random.Random) -> None:
        self.wordnet, self.seen, self.generator = wordnet, seen, generator
        self._known: dict[str, list[str]] = {}

    def others(self, word: str) -> list[str]:
        """Sorted; none for a word of grammar."""
        if word not in self._known:
            found = (self._inflected(*form) for form in forms(word))
            self._known[word] = [] if word in KEPT else next((sorted(words) for words in found if words), [])
        return self._known[word]

    def _inflected(self, base: str, parts: str, inflect: Callable[[str], str]) -> set[str]:
        others = {other for part in parts for other in self.wordnet.relatives(part, base)}
        return {inflect(other) for other in others if self.seen[other] >= SEEN and self.seen[inflect(other)]}

    def texts(self, texts: list[str]) -> Iterator[str]:
        """Some of them, with one or two words exchanged."""
        for text in self.generator.choices(texts, k=TRIES * EXCHANGED):
            pieces = re.findall(r"\w+|\W+", text)
            places = [at for at, piece in enumerate(pieces) if len(piece) > 2 and piece.isalpha()]
            places = [at for at in places if self.others(pieces[at].lower())]
            for at in self.generator.sample(places, min(len(places), self.generator.choice((1, 1, 2)))):
                pieces[at] = self._like(pieces[at], self.generator.choice(self.others(pieces[at].lower())))
            if places:
                yield "".join(pieces)

    def nodes(self, nodes: list[tuple[str, str]]) -> Iterator[str]:
        """Each phrase and what it is without its negator, VARIATIONS times with the same words exchanged in both."""
        for phrase, rest in nodes:
            words = sorted({word for word in re.findall(r"[^\W\d_]{3,}", rest) if self.others(word.lower())})
            for _ in range(VARIATIONS):
                chosen = self.generator.sample(words, min(len(words), self.generator.choice((1, 1, 2))))
                others = {word: self._like(word, self.generator.choice(self.others(word.lower()))) for word in chosen}
                for text in (phrase, rest):
                    yield re.sub(r"\w+", lambda found, others=others: others.get(found[0], found[0]), text)

    @staticmethod
    def _like(word: str, other: str) -> str:
        return other.capitalize() if word[0].isupper() else other


def review_sentences(name: str) -> Iterator[str]:
    """Cut at marks and line ends."""
    for text in open_corpus([name]).pieces():
        yield from re.split(r"(?<=[.!?])\s+|\n|<br ?/?>", text)


def wiki_sentences(name: str) -> Iterator[str]:
    """Of WikiText: without titles and sentences with a word that is left out; `@-@` joins again."""
    for text in open_corpus([name]).pieces():
        for line in text.split("\n"):
            for sentence in re.split(r"(?<= [.!?]) ", line.strip()):
                if sentence[:1].isupper() and "<unk>" not in sentence:
                    yield re.sub(r" @([-,.])@ ", r"\1", sentence)


def clauses(sentences: Iterable[str], generator: random.Random) -> Iterator[str]:
    """From each negator to the end of its clause, a mark or sometimes a conjunction; and the same without it."""
    for sentence in sentences:
        for negator in NEGATOR.finditer(sentence):
            rest = sentence[negator.end() :]
            if generator.random() >= 0.5:
                rest = CONJUNCTION.split(rest, maxsplit=1)[0]
            rest = MARK.split(rest, maxsplit=1)[0].strip()
            if CLAUSE_WORDS[0] <= len(rest.split()) <= CLAUSE_WORDS[1]:
                yield f"{negator[0]} {rest}"
                yield rest


def main() -> None:
    """Each once, and none that stands in `everyday`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reviews", required=True, help="reviews without labels, one a line")
    parser.add_argument("--wiki", required=True, help="WikiText, as it was published")
    parser.add_argument(
        "--nodes", type=Path, help="a table of phrase and rest: variations of these instead of all else"
    )
    parser.add_argument("--clauses", action="store_true", help="clauses with and without their negators instead")
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"))
    parser.add_argument("--held-out", type=float, default=0.05, help="share of everyday that a training holds out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    generator = random.Random(options.seed)
    wordnet = WordNet(options.wordnet)
    reviews, wiki = list(review_sentences(options.reviews)), list(wiki_sentences(options.wiki))
    seen = Counter(word for text in (*reviews, *wiki) for word in re.findall("[a-z]+", text.lower()))
    everyday = read_source("everyday")
    (learned,), _ = split_examples([everyday], [options.held_out])
    taken = {plain_key(example.text) for example in everyday.examples}
    found: dict[str, None] = {}

    def take(sentences: Iterator[str], most: int, shortest: int = WORDS[0]) -> None:
        before = len(found)
        for sentence in sentences:
            if len(found) - before == most:
                break
            sentence = sentence.strip()
            if shortest <= len(sentence.split()) <= WORDS[1] and plain_key(sentence) not in taken:
                found[sentence] = None
        print(f"{len(found) - before:,}", end=" ", flush=True)

    exchange = Exchange(wordnet, seen, generator)
    if options.nodes:
        nodes = [(str(record["phrase"]), str(record["rest"])) for _, record in records(options.nodes)]
        take(exchange.nodes(nodes), -1)
        print(f"phrases with and without their negators in {options.output}")
    elif options.clauses:
        everywhere = [*(example.text for example in learned), *generator.sample(reviews, len(reviews))]
        take(clauses(everywhere, generator), CLAUSES, CLAUSE_WORDS[0])
        print(f"clauses with and without their negators in {options.output}")
    else:
        take(iter(wordnet.examples), -1)
        take(iter(wiki), -1)
        take(iter(generator.sample(reviews, len(reviews))), REVIEW_SENTENCES)
        take(exchange.texts([example.text for example in learned]), EXCHANGED)
        print(f"sentences of WordNet, Wikipedia, reviews and everyday in {options.output}")
    write_atomically(options.output, "".join(f"{sentence}\n" for sentence in found))


if __name__ == "__main__":
    main()
