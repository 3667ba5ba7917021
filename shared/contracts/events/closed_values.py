"""The values of event fields that have a closed list of them: what forms print boxes for, and conditions may compare with."""

from typing import Any, Literal, get_args, get_origin

from shared.contracts.events import EVENT_CLASSES


def _values(annotation: Any) -> tuple[Any, ...]:
    if annotation is bool:
        return (True, False)
    return tuple(value for value in get_args(annotation) if value != "") if get_origin(annotation) is Literal else ()


CLOSED_EVENT_VALUES: dict[str, tuple[Any, ...]] = {
    f"{event_id}.{info.alias or name}": values
    for event_id, cls in EVENT_CLASSES.items()
    for name, info in cls.model_fields.items()
    if (values := _values(info.annotation))
}
"""`<event>.<field>` → its possible values, in their order in the contract."""
