"""Apart from the others: it takes as long as they do together."""

OUT = "import json,os; c=json.load(open(os.environ['CONFIGURATION_FILE'])); o=c['output_directory']; m=c['measures_directory']\n"


def test_many_and_large_measures(plz):
    done = plz.ok("run", "--", "python3", "-c", OUT + """
for i in range(100_000):
    open(f'{m}/m{i}', 'w').write(str(i))
open(m + '/large', 'w').write('"' + 'x' * 50_000_000 + '"')
json.dump({'n': 100_000}, open(c['summary_measures_path'], 'w'))
""", timeout=600)
    measures = plz.json("measures", timeout=600)
    assert len(measures) == 100_002 and measures["m99999"] == 99_999 and len(measures["large"]) == 50_000_000
