"""A table as a terminal, Markdown and CSV show it."""

import io

from rich.console import Console

from dfer_ros.text.tables import Cell, Column, Table, csv_text, markdown_table, rich_table, table_of


def shown(table, width=80, **options):
    console = Console(width=width, file=io.StringIO())
    console.print(rich_table(table, **options))
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_a_terminal_shows_words_on_the_left_numbers_on_the_right_and_a_line_for_none():
    lines = shown(table_of(("name", "ms"), [("first", "1"), None, (Cell("second", "red"), "23.45")], title="[x] times"))
    assert lines[0] == "[x] times"
    assert [line[2:16].split("\u2502") for line in lines if "first" in line or "second" in line] == [
        ["first  ", "     1"],
        ["second ", " 23.45"],
    ]
    assert lines[-3].startswith("\u251c")


def test_texts_are_shown_as_they_are_and_a_short_row_ends_early():
    lines = shown(table_of(("who", "n"), [("[red]a[/] :smile:",)]))
    assert any("[red]a[/] :smile:" in line for line in lines)


def test_without_headings_there_is_no_head():
    assert len(shown(table_of(("", ""), [("a", "1")]))) == 3


def test_where_a_terminal_is_narrow_only_what_folds_goes_on_below():
    table = Table([Column("person", fold=True), Column("in view", number=True)], [("a" * 60, "1 min 05 s")])
    lines = shown(table, width=30, narrow=True)
    assert max(map(len, lines)) <= 30
    assert sum(line.count("a") for line in lines) == 60
    assert any("1 min 05 s" in line for line in lines)


def test_markdown_says_on_which_side_a_column_stands():
    table = table_of(("name", "ms"), [("a", "1"), None, (Cell("b", "red"), "2")])
    assert markdown_table(table) == "| name | ms |\n| --- | ---: |\n| a | 1 |\n| b | 2 |\n"


def test_csv_has_yes_and_no_empty_cells_and_digits_where_asked_for():
    rows = [("a, b", True, None, 1 / 3)]
    assert csv_text(("name", "seen", "age", "share"), rows, 5) == 'name,seen,age,share\n"a, b",yes,,0.33333\n'
    assert csv_text(("share",), [(1 / 3,)]) == "share\n0.3333333333333333\n"
