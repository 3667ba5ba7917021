"""Turns a board into the JSON that Grafana provisions, with the builders of Grafana's foundation SDK."""

import json
from collections.abc import Iterator

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import dashboard as models

from deploy.grafana.panels import Board, BoardVariable, Kind, Panel

RUNBOOKS = "/public/runbooks"
"""Where Grafana itself serves the folder docs/runbooks; docker-compose.yml mounts it there."""
_COLUMNS = 24
_SOURCE = models.DataSourceRef(type_val="prometheus", uid="prometheus")
_Builder = timeseries.Panel | stat.Panel | bargauge.Panel


def render(board: Board, others: tuple[Board, ...] = (), runbooks: str = RUNBOOKS) -> str:
    """The dashboard as JSON; `others` are linked from its head, `runbooks` is the address of the folder of runbooks."""
    result = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.description)
        .tags(["jiesu"])
        .readonly()
        .timezone("browser")
        .refresh(board.refresh)
        .time(f"now-{board.first_hours}h", "now")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .version(1)
        .links([_dashboard_link(other) for other in others if other.uid != board.uid])
        .annotation(_firing_alerts())
        .variables([*(_variable(choice) for choice in board.choices), _runbooks_variable(runbooks)])
    )
    for number, item in enumerate(_placed(board), start=1):
        if isinstance(item, dashboard.Row):
            result.with_row(item.id(number))
        else:
            result.with_panel(item.id(number))
    return json.dumps(result.build(), cls=JSONEncoder, indent=2, ensure_ascii=False) + "\n"


def _placed(board: Board) -> Iterator[_Builder | dashboard.Row]:
    """The rows and panels with their places, from top to bottom; panels side by side take the height of the highest."""
    top = 0
    for row in board.rows:
        yield dashboard.Row(row.title).grid_pos(models.GridPos(x=0, y=top, w=_COLUMNS, h=1))
        top, left, height = top + 1, 0, 0
        for panel in row.panels:
            if left + panel.width > _COLUMNS:
                top, left, height = top + height, 0, 0
            height = max(height, panel.height)
            yield _panel(panel, models.GridPos(x=left, y=top, w=panel.width, h=panel.height))
            left += panel.width
        top += height


def _panel(panel: Panel, place: models.GridPos) -> _Builder:
    builder = (
        _empty_builder(panel)
        .title(panel.title)
        .description(panel.description)
        .datasource(_SOURCE)
        .grid_pos(place)
        .unit(panel.unit)
        .min(0)
        .no_value("–")
        .targets([_target(panel, number) for number in range(len(panel.queries))])
    )
    if panel.limits:
        builder.thresholds(_thresholds(*panel.limits))
    if panel.runbook:
        # In the panel's head and on each of its values: the second is where a person clicks who follows a line.
        builder.links([_runbook_link(panel)]).data_links([_runbook_link(panel)])
    return builder


def _empty_builder(panel: Panel) -> _Builder:
    reduce = common.ReduceDataOptions().calcs(["lastNotNull"])
    match panel.kind:
        case Kind.STAT:
            return (
                stat.Panel().reduce_options(reduce).color_mode(options.BigValueColorMode.VALUE).graph_mode(options.BigValueGraphMode.AREA)
            )
        case Kind.BARS:
            return bargauge.Panel().reduce_options(reduce).orientation(options.VizOrientation.HORIZONTAL)
        case Kind.TIMESERIES:
            stacking = options.StackingMode.NORMAL if panel.stacked else options.StackingMode.NONE
            lines = (
                timeseries.Panel()
                .fill_opacity(30 if panel.stacked else 10)
                .show_points(options.VisibilityMode.NEVER)
                .stacking(common.StackingConfig().mode(stacking))
                .legend(common.VizLegendOptions().show_legend(True).display_mode(options.LegendDisplayMode.LIST))  # noqa: FBT003
            )
            if panel.limits:
                lines.thresholds_style(common.GraphThresholdsStyleConfig().mode(options.GraphThresholdsStyleMode.LINE))
            return lines


def _target(panel: Panel, number: int) -> prometheus.Dataquery:
    query = panel.queries[number]
    target = prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id("ABCDEFGHIJ"[number]).datasource(_SOURCE)
    if panel.kind is not Kind.TIMESERIES:
        return target.instant()
    # A click on a dot opens the trace of one request that was so slow.
    return target.range().exemplar("_bucket" in query.expr)


def _thresholds(warning: float, critical: float) -> dashboard.ThresholdsConfig:
    if warning < critical:
        steps = [(None, "green"), (warning, "yellow"), (critical, "red")]
    else:
        steps = [(None, "red"), (critical, "yellow"), (warning, "green")]
    return (
        dashboard.ThresholdsConfig()
        .mode(models.ThresholdsMode.ABSOLUTE)
        .steps([models.Threshold(value=value, color=color) for value, color in steps])
    )


def _runbook_link(panel: Panel) -> dashboard.DashboardLink:
    url = f"${{runbooks}}/{panel.runbook}.md"
    return dashboard.DashboardLink("Runbook").type(models.DashboardLinkType.LINK).url(url).target_blank(True)  # noqa: FBT003


def _dashboard_link(board: Board) -> dashboard.DashboardLink:
    link = dashboard.DashboardLink(board.title.partition(" · ")[0]).type(models.DashboardLinkType.LINK).url(f"/d/{board.uid}")
    return link.keep_time(True).include_vars(True)  # noqa: FBT003 - the SDK's setters take one positional value


def _firing_alerts() -> dashboard.AnnotationQuery:
    """Marks the times at which any alert fires: the cause is often seen on another board than the effect."""
    return (
        dashboard.AnnotationQuery()
        .name("Alerts")
        .datasource(_SOURCE)
        .enable(True)  # noqa: FBT003
        .icon_color("red")
        .expr('ALERTS{alertstate="firing"}')
    )


def _variable(choice: BoardVariable) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(choice.name)
        .label(choice.title)
        .datasource(_SOURCE)
        .query(choice.values)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .multi(True)  # noqa: FBT003
        .include_all(True)  # noqa: FBT003
        .all_value(".*")
        .current(models.VariableOption(text="All", value="$__all"))
    )


def _runbooks_variable(address: str) -> dashboard.ConstantVariable:
    return dashboard.ConstantVariable("runbooks").value(address)
