"""Values of options as they were typed: text needs none of what Typer builds for numbers and files.

Typer makes a pydantic adapter for each option of the command that runs, given or not, and importing pydantic
takes longer than all else that a short command does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer._click.exceptions import BadParameter
from typer._coercion import RuntimeParam, build_runtime_param
from typer.core import TyperArgument, TyperOption

if TYPE_CHECKING:
    from typer._click import Command, Context
    from typer.core import _TyperParameter


class _Late(RuntimeParam):
    """Hands on what is text already or was not given; asks Typer for everything else."""

    def coerce(self, value: Any, param: _TyperParameter, ctx: Context) -> Any:
        is_text = isinstance(value, str) and self.annotation is str and not self.parameter_info.parser
        if (value is None and param.nargs == 1 and not param.multiple) or is_text:
            return value
        return self._coerce_value(value, param, ctx)

    def _coerce_value(self, value: Any, param: _TyperParameter, ctx: Context) -> Any:
        try:
            return build_runtime_param(param.type_descriptor).coerce(value, param=param, ctx=ctx)
        except BadParameter as error:
            # Pydantic's own words before whatever a validator says.
            error.message = error.message.removeprefix("Value error, ")
            raise


def defer(command: Command) -> None:
    """Let a command and those below it ask for adapters only when a value needs one."""
    for param in command.get_params(command.context_class(command)):
        if isinstance(param, TyperOption | TyperArgument):
            kind = param.type_descriptor
            param._runtime_param = _Late(kind.parameter_info, kind.annotation)
    for below in getattr(command, "commands", {}).values():
        defer(below)
