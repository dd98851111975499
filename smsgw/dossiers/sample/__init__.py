"""A sample one-stop database: a province after An Giang's figures of 2018, its people and numbers invented."""

from smsgw.dossiers.sample.generate import Row, dossiers
from smsgw.dossiers.sample.write import Example, examples, write

__all__ = ["Example", "Row", "dossiers", "examples", "write"]
