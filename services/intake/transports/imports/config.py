"""Settings of imports."""

from pathlib import Path

from pydantic import Field

from shared.runtime.process.settings import RuntimeSettings


class ImportSettings(RuntimeSettings):
    """Limits of files, and the folder that is watched."""

    import_folder: Path | None = Field(
        None, description="folder with a folder for each source, whose files are imported; none: only by HTTP and command"
    )
    import_poll_seconds: float = Field(10.0, gt=0, description="seconds between looks into the import folder; a file has to rest as long")
    max_import_bytes: int = Field(100_000_000, ge=1024, description="largest file that is imported")
    import_max_rows: int = Field(1_000_000, ge=1, description="most rows of a file that is imported")
    import_unpacked_bytes: int = Field(500_000_000, ge=1024, description="how much a workbook may unpack to")
    import_memory_bytes: int = Field(1_073_741_824, ge=268_435_456, description="memory that reading a workbook may take")
    import_batch_rows: int = Field(250, ge=1, le=5000, description="rows of a file that share a transaction")
