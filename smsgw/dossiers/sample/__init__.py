"""A sample one-stop database: a province after An Giang's figures of 2018, its people and numbers invented."""

from smsgw.dossiers.sample.generate import Row, dossiers
from smsgw.dossiers.sample.write import Example, NotTheSample, examples, write

__all__ = ["Example", "NotTheSample", "Row", "dossiers", "examples", "write"]
