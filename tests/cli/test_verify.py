import pytest

from stbp_edu.cases import vector
from stbp_edu.cli import main as cli


@pytest.mark.slow
@pytest.mark.usefixtures("two_neurons")
def test_verify_prints_a_table_and_succeeds(capsys):
    assert cli.main(["verify", "--rounds", "1"]) == 0
    table = capsys.readouterr().out
    for id in ("c1-delta", "c4-epsilon", "c5-w"):
        assert id in table
    assert "FAILED" not in table


@pytest.mark.slow
@pytest.mark.usefixtures("two_neurons")
def test_verify_fails_when_a_formula_is_wrong(monkeypatch, capsys):
    right = vector.c4_delta

    def without_the_temporal_path(err_above, W_above, err_next, U, df):
        return right(err_above, W_above, 0 * err_next, U, df)

    monkeypatch.setattr(vector, "c4_delta", without_the_temporal_path)
    assert cli.main(["verify", "--rounds", "1"]) == 1
    assert "FAILED" in capsys.readouterr().out
