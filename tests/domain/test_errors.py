"""The tree of errors stands as its docstring draws it."""

from __future__ import annotations

import inspect

from newsletter.domain import errors


def test_every_error_is_drawn_in_the_tree_of_the_docstring() -> None:
    drawn = errors.__doc__ or ""
    public = [
        name
        for name, each in inspect.getmembers(errors, inspect.isclass)
        if issubclass(each, errors.NewsletterError) and not name.startswith("_")
    ]
    assert len(public) > 8
    assert [name for name in public if name not in drawn] == []


def test_a_list_of_problems_reads_as_one_line_each() -> None:
    error = errors.IssueError(
        [
            errors.Problem(path="issues/vol-1-1.md", line=3, message="number is missing"),
            errors.Problem(path="issues/vol-1-1.md", line=0, message="the file is empty"),
        ]
    )
    assert str(error) == "issues/vol-1-1.md:3: number is missing\nissues/vol-1-1.md: the file is empty"


def test_what_an_error_says_has_a_place_where_it_names_one() -> None:
    problem = errors.Problem(path="a.md", line=3, message="wrong")
    assert errors.located(errors.IssueError([problem])) == (problem,)
    said = errors.RenderError("a.mjml.j2:4: one thing\nb.mjml.j2:5:6: another: thing")
    assert [(one.path, one.line, one.message) for one in errors.located(said)] == [
        ("a.mjml.j2", 4, "one thing"),
        ("b.mjml.j2", 5, "another: thing"),
    ]
    assert errors.located(errors.RenderError("all wrong"), "a.md") == (
        errors.Problem(path="a.md", line=0, message="all wrong"),
    )
