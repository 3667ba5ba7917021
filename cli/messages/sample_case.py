"""Sample values that a pack's scenarios lack and people write: the words of actions, titles of departments, a public contact."""

from shared.procedures.organisation import ComplaintSource, Department, Organisation
from simulator.scenario import Scenario, ScenarioStep

SAMPLE_SOURCE = ComplaintSource(id="sample", procedure="sample", contact_name="客户服务中心", contact_phone="400-800-0000")
_DEPARTMENTS = [
    Department(id="administration", zh="行政部", en="Administration"),
    Department(id="after_sales", zh="售后部", en="After-sales"),
    Department(id="engineering", zh="工程部", en="Engineering"),
    Department(id="finance", zh="财务部", en="Finance"),
    Department(id="group", zh="集团本部", en="Headquarters"),
    Department(id="hr", zh="人力资源部", en="Human resources"),
    Department(id="production", zh="生产部", en="Production"),
    Department(id="project", zh="项目公司", en="Project company"),
    Department(id="property_group", zh="物业集团", en="Property-management group"),
    Department(id="region", zh="区域公司", en="Region's company"),
    Department(id="service_station", zh="服务站", en="Service station"),
]
# Scenarios are about times and roles and mostly give no words, without which nobody can judge how a message reads.
_WORDS = {
    "survey": "情况属实，需要修缮",
    "hand_over": "需要贵单位协助处理",
    "return": "不属本部门职责",
    "report": "情况已核实，详见所附报告",
    "instruct": "请从速处理，注意与客户沟通",
    "submit_measures": "查明原因，三日内整改完毕",
    "approve": "同意",
    "approve_with_demands": "同意",
    "reject": "未说明原因，措施不具体",
    "review": "方案需要补充费用说明",
    "report_progress": "原因已查明，正在整改",
    "handle": "已整改完毕，情况已当面说明",
    "verify": "仍有一处未整改",
    "call_back": "客户认为问题没有彻底解决",
    "object": "对责任认定有异议",
    "rule": "责任在我方，请尽快整改并致歉",
    "evaluate": "处理及时，沟通须改进",
}
_REASONS = {"refuse": "所述情况经核实与本公司无关"}


def with_sample_words(scenario: Scenario) -> Scenario:
    """The scenario with sample words in the steps that give none."""
    return scenario.model_copy(update={"steps": [_with_words(step) for step in scenario.steps]})


def with_sample_titles(organisation: Organisation) -> Organisation:
    """The organisation with a public contact, and titles for departments that scenarios name by id only."""
    titled = {department.id for department in organisation.departments if department.zh}
    samples = [department for department in _DEPARTMENTS if department.id not in titled]
    others = [department for department in organisation.departments if department.zh]
    return organisation.model_copy(update={"sources": [SAMPLE_SOURCE], "departments": [*others, *samples]})


def _with_words(step: ScenarioStep) -> ScenarioStep:
    words = {"text": step.data.text or _WORDS.get(step.action, ""), "reason": step.data.reason or _REASONS.get(step.action, "")}
    return step.model_copy(update={"data": step.data.model_copy(update={name: text for name, text in words.items() if text})})
