"""Conditions over the history: `plz history --where`."""

import json

LEAVE = ('import json, os; c = json.load(open(os.environ["CONFIGURATION_FILE"]));'
         'open(c["measures_directory"] + "/big", "w").write(c["parameters"]["text"]);'
         'open(c["measures_directory"] + "/odd", "w").write("NaN")')


def test_numbers_compare_exactly(plz):
    """By their text, not as doubles, which would make neighbours of these equal."""
    ids = {}
    for seed, big in (("9007199254740992", "9223372036854775807"), ("9007199254740993", "9223372036854775809"),
                      ("1e-1", "0.1000000000000000000001"), ("null", "1e400")):
        plz.write("p.json", f'{{"seed": {seed}, "text": "{big}"}}')
        ids[seed] = plz.ok("run", "-p", "p.json", "--", "python3", "-c", LEAVE).id
    first, second, tenth, none = ids.values()

    def found(condition):
        return set(plz.json("history", "--where", condition))
    assert found("parameters.seed = 9007199254740992") == {first}
    assert found("parameters.seed = 9007199254740993.0") == {second}
    assert found("parameters.seed > 9007199254740992") == {second}
    assert found("parameters.seed = 0.1") == {tenth}
    assert found("measures.big > 9223372036854775807") == {second, none}
    assert found("measures.big = 9223372036854775809") == {second}
    assert found("measures.big > 0.1 and measures.big < 0.2") == {tenth}
    assert found("measures.big >= 10e399") == {none}
    # What is null is not there.
    assert found("parameters.seed exists") == {first, second, tenth}
    assert found("parameters.seed = null") == {none}
    assert found("measures.odd = NaN and measures.odd exists") == set(ids.values())
    assert json.loads(plz.ok("history", "--where", "not exit_status exists").out) == {}
