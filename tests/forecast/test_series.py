"""What a series can be read from, and the sentence for each thing that is wrong with it."""

from __future__ import annotations

import numpy as np
import pytest

from lstmtext.errors import InputError, LstmtextError, UsageError
from lstmtext.forecast.series import parse_csv, parse_values
from lstmtext.forecast.times import read_times


def after(*cells: str) -> list[str]:
    times = read_times(cells, range(2, len(cells) + 2), "f.csv, column 't'")
    assert times is not None
    return [times.after(k) for k in (1, 2)]


def test_values() -> None:
    for end in ("", ",", " , ", "\n"):
        text = f"100,105, 110 115\n-1e2 ,.5{end}"
        assert parse_values(text).values.tolist() == [100, 105, 110, 115, -100, 0.5]
    assert parse_values("1.5;2.5; 3 4").values.tolist() == [1.5, 2.5, 3, 4]
    assert parse_values("1,5").values.tolist() == [1, 5]
    assert parse_values("1,2,3 4,5,6").values.tolist() == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("text", ["1,5;2,5;3,5;4,5", "1;2,5", "1, 2; 3", "1,5 2,5 -3,5"])
def test_a_comma_that_may_be_a_decimal_mark_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"a comma parts two numbers or is a decimal mark\. Write decimal points, "):
        parse_values(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no number"),
        (" , ", "holds no number"),
        ("1,x", "number 2: 'x' is not a number"),
        ("1,nan,2", "number 2: the value is missing ('nan')"),
        ("1,2,,4", "number 3: the value is missing. Fill it in"),
        ("1; ;4", "number 2: the value is missing"),
        (",1,2", "number 1: the value is missing"),
        ("1,2,,", "number 3: the value is missing"),
        ("1,inf", "number 2: 'inf' is not a number"),
        ("1,1_000", "'1_000' is not a number"),
        ("1,1e300", "too large"),
        ("1,9.96921e36", "larger than 1e+30, too large"),
    ],
)
def test_values_that_are_none(text: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_values(text)
    assert said in str(raised.value)


@pytest.mark.parametrize("text", ["t,y\n1,2\n2,3\n", "\ufeffy;t\r\n2;1\r\n3;2\r\n\r\n", 't\ty\n1\t"2"\n2\t3'])
def test_csv(text: str) -> None:
    found = parse_csv(text.encode(), "f.csv", "y", "t")
    assert found.values.tolist() == [2, 3]
    assert found.times is not None
    assert found.times.after(1) == "3"
    assert found.name == "y"


def test_names_may_hold_delimiters_and_rows_may_end_with_one() -> None:
    found = parse_csv(
        b'"month","open;high;low;close"\n2024-01,5,\n2024-02,6,\n', "f.csv", "open;high;low;close", "month"
    )
    assert found.values.tolist() == [5, 6]


def test_the_only_column_beside_the_times_needs_no_name() -> None:
    assert parse_csv(b"y\n1\n2\n", "f.csv").values.tolist() == [1, 2]
    assert parse_csv(b"t,y\n1,5\n2,6\n", "f.csv", time="t").values.tolist() == [5, 6]


@pytest.mark.parametrize(
    ("text", "column", "time", "kind", "said"),
    [
        (
            "t,y\n1,2\n2,\n",
            "y",
            None,
            InputError,
            "f.csv, row 3 (the header is row 1), column 'y': the value is missing",
        ),
        ("t,y\n1,2\n2\n", "y", None, InputError, "row 3 (the header is row 1), column 'y': the value is missing"),
        ("y\n1\n\n3\n", "y", None, InputError, "row 3 (the header is row 1), column 'y': the value is missing"),
        ("t,y\n1,2\n2,n/a\n", "y", None, InputError, "the value is missing ('n/a')"),
        ("t,y\n1,2\n2,abc\n", "y", None, InputError, "column 'y': 'abc' is not a number"),
        ('t;y\n1;"2,5"\n', "y", None, InputError, "'2,5' is not a number. Write numbers like 1234.5: a decimal point"),
        ("y\n$5\n", "y", None, InputError, "'$5' is not a number. Write numbers like 1234.5"),
        ('t,y\n1,"1,234.5"\n', "y", None, InputError, "'1,234.5' is not a number. Write numbers like 1234.5"),
        ("t,y\n1,2\n2,3,5\n", "y", None, InputError, "row 3 (the header is row 1) has 3 cells and the header has 2"),
        ("t,y\n31/1/24,2\n", "y", "t", InputError, "row 2: '31/1/24' is not a time. Times are a number, 2024-05"),
        ("t,y\n20240131,2\n20240131,3\n", "y", "t", InputError, "row 3: the time '20240131' stands in row 2 too"),
        ("t,y\n2024-W01,2\n2024-W02,3\n2024-W04,4\n2024-W05,4\n", "y", "t", InputError, "a step of 7 days"),
        ("t,y\n1,2\n", "z", None, UsageError, "--column 'z': f.csv has no such column. There are 't', 'y'."),
        ("t,y\n1,2\n", "y", "z", UsageError, "--time 'z': f.csv has no such column. There are 't', 'y'."),
        ("t,y\n1,2\n", None, None, UsageError, "f.csv has 2 columns: 't', 'y'. Say which with --column."),
        ("t,y\n1,2\n", "y", "y", UsageError, "--column and --time both name 'y'"),
        ("y,y\n1,2\n", "y", None, UsageError, "has 2 columns of that name"),
        ("1,2\n3,4\n", "y", None, InputError, "is numbers ('1', '2'); it should name the columns"),
        ("", "y", None, InputError, "f.csv is empty"),
        ("t,y\n", "y", None, InputError, "a header and no rows"),
        ("t,y\n1,2\n1,3\n", "y", "t", InputError, "column 't', row 3: the time '1' stands in row 2 too"),
        ("t,y\n2,2\n1,3\n", "y", "t", InputError, "row 3: '1' is before '2' of the row above. Sort"),
        ("t,y\n1,2\n2,3\n4,5\n5,6\n", "y", "t", InputError, "row 4: '4' after '2' breaks the rhythm"),
        ("t,y\n1,2\nsoon,3\n", "y", "t", InputError, "row 3: 'soon' is not a time"),
        ("t,y\n1,2\n,3\n", "y", "t", InputError, "row 3: the time is missing"),
        ("t,y\n2024-01,2\n5,3\n", "y", "t", InputError, "row 3: '5' is written in another form than '2024-01'"),
    ],
)
def test_every_problem_names_its_place(
    text: str, column: str | None, time: str | None, kind: type[LstmtextError], said: str
) -> None:
    with pytest.raises(kind) as raised:
        parse_csv(text.encode(), "f.csv", column, time)
    assert said in str(raised.value)


def test_what_is_not_text() -> None:
    for data, said in ((b"y\n\xff\n", "not valid UTF-8: byte 0xFF at offset 2"), (b"y\n1\0\n", "NUL")):
        with pytest.raises(InputError, match=said):
            parse_csv(data, "f.csv")


def test_times_go_on() -> None:
    assert after("1959", "1960", "1961") == ["1962", "1963"]
    assert after("1959.25", "1959.5", "1959.75") == ["1960.0", "1960.25"]
    assert after("0.10", "0.20", "0.30") == ["0.40", "0.50"]
    assert after("08", "09", "10") == ["11", "12"]
    assert after("098", "099") == ["100", "101"]
    assert after("1e3", "2e3") == ["3000.0", "4000.0"]
    assert after("2023-11", "2023-12") == ["2024-01", "2024-02"]
    assert after("2023q3", "2023q4") == ["2024q1", "2024q2"]
    assert after("2023-w51", "2023-w52") == ["2024-w01", "2024-w02"]
    assert after("2024-05-31T22", "2024-05-31T23") == ["2024-06-01T00", "2024-06-01T01"]
    assert after("2023-Q3", "2023-Q4") == ["2024-Q1", "2024-Q2"]
    assert after("2023-12-30", "2023-12-31") == ["2024-01-01", "2024-01-02"]
    assert after("2023-12-18", "2023-12-25") == ["2024-01-01", "2024-01-08"]
    assert after("2023-11-30", "2023-12-31", "2024-01-31") == ["2024-02-29", "2024-03-31"]
    assert after("2022-01-01", "2023-01-01", "2024-01-01", "2025-01-01") == ["2026-01-01", "2027-01-01"]
    assert after("2024-01-01 22:00", "2024-01-01 23:00") == ["2024-01-02 00:00", "2024-01-02 01:00"]
    assert after("2024-01-01T22:00:00Z", "2024-01-01T23:00:00Z") == ["2024-01-02T00:00:00Z", "2024-01-02T01:00:00Z"]
    assert after("2020-W52", "2020-W53") == ["2021-W01", "2021-W02"]


@pytest.mark.parametrize(
    "cells",
    [
        ["9999-11", "9999-12"],
        ["Nov 9999", "Dec 9999"],
        ["9999-Q3", "9999-Q4"],
        ["9999-W51", "9999-W52"],
        ["9999-12-30", "9999-12-31"],
        ["12/30/9999", "12/31/9999"],
        ["9999-11-30", "9999-12-31"],
        [f"9999-12-{day}" for day in (23, 24, 27, 28, 29, 30, 31)],
        ["9999-12-31T22:00Z", "9999-12-31T23:00Z"],
    ],
)
def test_the_calendar_ends_with_the_year_9999(cells: list[str]) -> None:
    times = read_times(cells, range(2, len(cells) + 2), "f.csv, column 't'")
    assert times is not None
    assert times.written == cells
    with pytest.raises(InputError, match=f"^f.csv, column 't': step 1 after '{cells[-1]}' lies beyond the year 9999"):
        times.after(1)


def test_years_have_four_digits() -> None:
    assert after("0001-01-01", "0001-01-02") == ["0001-01-03", "0001-01-04"]
    assert after("0998-11", "0998-12") == ["0999-01", "0999-02"]
    assert after("0998-Q3", "0998-Q4") == ["0999-Q1", "0999-Q2"]
    assert after("0998-W51", "0998-W52") == ["0999-W01", "0999-W02"]
    assert after("11/30/0998", "12/31/0998")[0] == "01/31/0999"
    assert after("Nov 0998", "Dec 0998") == ["Jan 0999", "Feb 0999"]


def test_what_continues_is_written_as_the_last_time_is() -> None:
    assert after("2024/01/30", "2024/01/31") == ["2024/02/01", "2024/02/02"]
    assert after("2023/11", "2023/12") == ["2024/01", "2024/02"]
    assert after("2023Q3", "2023Q4") == ["2024Q1", "2024Q2"]
    assert after("2024-01-01 10:00:30", "2024-01-01 10:01:00") == ["2024-01-01 10:01:30", "2024-01-01 10:02:00"]
    for digits in ("000", "0", "000000", "0000000"):
        stamps = [f"2024-01-01T10:00:0{second}.{digits}Z" for second in range(4)]
        assert after(*stamps[:2]) == stamps[2:]
    assert after("2024-01-01 10:00:00.250", "2024-01-01 10:00:00.500")[1] == "2024-01-01 10:00:01.000"
    assert after("2024-01-01 10:00:00.25", "2024-01-01 10:00:00.5")[0] == "2024-01-01 10:00:00.75"


def test_numbers_are_continued_however_small_their_steps_and_long_their_digits_are() -> None:
    assert after("1e-10", "2e-10") == ["3e-10", "4e-10"]
    assert after("-4e-10", "0", "4e-10") == ["8e-10", "1.2e-09"]
    assert after("0.1", "0.2", "0.30000000000000004") == ["0.4", "0.5"]
    nanoseconds = [str(1_700_000_000_000_000_001 + 1_000_000 * step) for step in range(4)]
    assert after(*nanoseconds[:2]) == nanoseconds[2:]
    for cells in (("0", "1e-10", "3e-10", "4e-10", "5e-10"), (*nanoseconds[:3], str(int(nanoseconds[3]) + 2))):
        with pytest.raises(InputError, match="breaks the rhythm"):
            after(*cells)
    for endless in ("1e999", "9" * 400):
        with pytest.raises(InputError, match="is not a time"):
            after("1", endless)


def test_digits_are_a_date_where_all_of_them_are() -> None:
    assert after("20240130", "20240131") == ["20240201", "20240202"]
    assert after("202311", "202312") == ["202401", "202402"]
    assert after("202411", "202412", "202413") == ["202414", "202415"]
    assert after("100001", "100002") == ["100003", "100004"]


def test_a_missing_month_is_named_and_not_february() -> None:
    months = ["2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01", "2024-06-01", "2024-07-01"]
    with pytest.raises(InputError, match=r"row 6: '2024-06-01' after '2024-04-01' .* a step of 1 month\."):
        after(*months)
    with pytest.raises(InputError, match=r"row 5: '2024-01-08' after '2024-01-06' .* a step of 1 day\."):
        after("2024-01-04", "2024-01-05", "2024-01-06", "2024-01-08")
    with pytest.raises(InputError, match="time zone"):
        after("2024-01-03 10:00", "2024-01-03 11:00+01:00")


@pytest.mark.parametrize("date", ["2024-{:02d}-01", "2024-03-{:02d}"])
def test_a_change_to_summer_time_is_no_gap(date: str) -> None:
    places = range(1, 7) if date.endswith("01") else range(26, 32)
    local = [f"{date.format(place)}T09:00" for place in places]
    zoned = [f"{time}+0{1 + (time > '2024-03-31')}:00" for time in local]
    with pytest.raises(InputError, match=r"a step of .*\. The offsets from UTC change, .*: leave them out of the"):
        after(*zoned)
    assert after(*local)[0] in ("2024-07-01T09:00", "2024-04-01T09:00")
    with pytest.raises(InputError, match=r"Fill the gap"):
        after(*local[:2], *local[3:])


def test_the_days_of_the_stock_exchange_go_on_over_the_weekend() -> None:
    assert after("2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08") == ["2024-01-09", "2024-01-10"]
    assert after("2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09", "2024-01-11", "2024-01-12")[0] == "2024-01-15"
    hours = [f"2024-01-{day:02d} 16:00" for day in (4, 5, 8)]
    assert after(*hours) == ["2024-01-09 16:00", "2024-01-10 16:00"]
    # a week without a weekend is days
    assert after("2024-01-03", "2024-01-04", "2024-01-05") == ["2024-01-06", "2024-01-07"]


def test_holidays_may_be_missing_and_are_said() -> None:
    year = np.arange("2024-01-01", "2025-01-01", dtype="datetime64[D]")
    days = [str(day) for day in year[np.is_busday(year)]]
    whole = read_times(days, range(2, len(days) + 2), "f.csv")
    assert whole is not None
    assert whole.note == ""
    closed = {"2024-01-15", "2024-07-04", "2024-12-25"}
    open_days = [day for day in days if day not in closed]
    times = read_times(open_days, range(2, len(open_days) + 2), "f.csv")
    assert times is not None
    assert (times.after(1), times.after(3), times.after(4)) == ("2025-01-01", "2025-01-03", "2025-01-06")
    assert times.note == "from Monday to Friday there are 3 days missing in f.csv, taken for holidays."
    with pytest.raises(InputError, match=r"'2024-02-12' after '2024-01-31' .* a step of 1 day from Monday to Friday\."):
        after(*[day for day in days if not "2024-02-01" <= day <= "2024-02-11"])
    with pytest.raises(InputError, match="breaks the rhythm"):
        after(*days[:40:2], *days[40:50])


def test_a_day_above_12_tells_the_day_from_the_month() -> None:
    assert after("01/30/2015", "01/31/2015") == ["02/01/2015", "02/02/2015"]
    assert after("30.01.2015", "31.01.2015") == ["01.02.2015", "02.02.2015"]
    assert after("9/30/2015", "10/31/2015") == ["11/30/2015", "12/31/2015"]
    assert after("12/30/2015", "12/31/2015", "1/1/2016") == ["1/2/2016", "1/3/2016"]
    with pytest.raises(InputError, match=r"row 2: is '01/02/2015' 2015-01-02 or 2015-02-01\? No day .* above 12"):
        after("01/02/2015", "01/03/2015")
    with pytest.raises(InputError, match=r"row 3: is '02/01/2024' 2024-02-01 or 2024-01-02\?"):
        after("01/01/2024", "02/01/2024", "03/01/2024")
    with pytest.raises(InputError, match=r"row 3: '31/01/2015' is not a time"):
        after("01/30/2015", "31/01/2015")


def test_dates_that_read_the_same_both_ways_go_on_where_the_next_does_too() -> None:
    assert after("12/12/2022", "12/12/2023") == ["12/12/2024", "12/12/2025"]
    assert after("1.1.2020", "1.1.2022", "1.1.2024") == ["1.1.2026", "1.1.2028"]
    for cells in (
        ("02/02/2024", "03/03/2024"),
        ("07/07/2024", "08/08/2024", "09/09/2024"),
        ("2023-12-31", "01/01/2024"),
    ):
        with pytest.raises(InputError, match=r"every date reads the same .* and what follows would not"):
            after(*cells)
    with pytest.raises(InputError, match=r"row 3: the time '01/01/2024' stands in row 2 too"):
        after("01/01/2024", "01/01/2024")


def test_months_may_have_names() -> None:
    assert after("Nov 2014", "Dec 2014") == ["Jan 2015", "Feb 2015"]
    assert after("April 2015", "May 2015") == ["June 2015", "July 2015"]
    assert after("APR-2015", "MAY-2015") == ["JUN-2015", "JUL-2015"]
    with pytest.raises(InputError, match="'Jam 2015' is not a time"):
        after("Dec 2014", "Jam 2015")


def test_one_time_has_no_step() -> None:
    assert read_times(["2024"], [2], "f.csv") is None
