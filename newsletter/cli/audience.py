"""`newsletter audience`: who is in an audience, and why everybody else is not."""

from __future__ import annotations

from typing import Annotated

import typer

from newsletter.cli import invocation, nouns, output

app = nouns.group("audience")

Name = Annotated[str, typer.Argument(metavar="NAME", help="One of [audiences], “everyone”, or a rule.")]
Exclude = Annotated[
    str,
    typer.Option("--exclude", metavar="NAME", help="Leave out who is in this audience, or fits this rule."),
]
Each = Annotated[
    bool, typer.Option("--each", help="List every active subscriber who is left out, with the reason.")
]
Samples = Annotated[int, typer.Option("--samples", min=0, max=100, help="Addresses shown of each group.")]


@app.command("list", epilog=nouns.example("newsletter audience list"))
def list_(ctx: typer.Context, as_json: output.Json = False) -> None:
    """List the saved audiences with their rules and how many are in each."""
    from newsletter.subscribing import selecting

    app = invocation.of(ctx).app
    rows = []
    for name, rule in {selecting.EVERYONE: "", **app.audiences.saved}.items():
        groups = app.registrar.review(app.audiences.find(name), now=app.now())
        included = sum(group.count for group in groups if not group.reason)
        rows.append({"name": name, "rule": rule, "subscribers": included})
    output.show(
        rows, as_json=as_json, text=lambda: output.table(list(rows[0]), [list(row.values()) for row in rows])
    )


@app.command(
    epilog=nouns.example(
        "newsletter audience show press",
        "newsletter audience show 'topic:security and not tag:press' --exclude language:ja",
    )
)
def show(
    ctx: typer.Context,
    name: Name,
    *,
    exclude: Exclude = "",
    each: Each = False,
    samples: Samples = 3,
    as_json: output.Json = False,
) -> None:
    """Count who is in an audience, and say why each other active subscriber is left out."""
    app = invocation.of(ctx).app
    audience = app.audiences.find(name, exclude=exclude)
    if each:
        left = app.registrar.left_out(audience, now=app.now())
        output.show_each(left, as_json=as_json, text=lambda: output.table(["address", "left out"], left))
        return
    groups = app.registrar.review(audience, now=app.now(), samples=samples)
    rows = [(group.reason or "in", f"{group.count:,}", ", ".join(group.samples)) for group in groups]
    output.show(
        groups, as_json=as_json, text=lambda: output.table(["active subscribers", "", "for example"], rows)
    )
