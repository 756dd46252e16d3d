"""What an explorer has to show and to do on the site's page."""

from functools import partial

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browsing import script

expect.set_options(timeout=180_000)  # machines are shared: no test asserts a time
LABELS = {
    "sweep": "Explorer: the backward sweep",
    "paths": "Explorer: paths to the loss",
    "pulse": "Explorer: one error pulse",
    "lab": "Explorer: the neuron lab",
    "board": "Explorer: the arrow board",
    "hunt": "Explorer: the bug hunt",
}
AXE = "async (root) => (await axe.run(root)).violations.map((v) => [v.id, v.nodes[0].html])"
SHOWN = script("shown")
TOO_WIDE = script("too_wide")


def explorer_on(page, name):
    """Return the one explorer of this name."""
    found = page.get_by_role("region", name=LABELS[name])
    expect(found).to_have_count(1)
    return found


def violations(explorer):
    """Return what axe-core finds inside an explorer."""
    return explorer.evaluate(AXE)


def too_wide(explorer):
    """Return the elements that leave the screen or the explorer."""
    return explorer.evaluate(TOO_WIDE)


def read(text):
    """Read a number as the explorers write it."""
    return float(text.replace("−", "-").rstrip(" %"))


def value(explorer, place):
    """Read the number at a place."""
    return read(explorer.locator(place).text_content())


def written(x):
    """Round to four significant digits, as the explorers do."""
    return float(f"{x:.4g}")


def sweep_shows(explorer, shown):
    """Every cell, under both rules, shows its case and its values."""
    for rule, label in (("exact", "ε (exact)"), ("classic", "δ · h (classic)")):
        explorer.get_by_label(label).check()
        explorer.get_by_role("button", name="First").click(force=True)
        for k, cell in enumerate(shown["rules"][rule]):
            if k:
                explorer.get_by_role("button", name="Next").click()
            where = f"Case {cell['case']} at t = {cell['t']}, n = {cell['n']}"
            expect(explorer.get_by_role("status")).to_contain_text(where)
            for x in cell["neurons"]:
                for name in ("delta", "epsilon"):
                    place = f"[data-value={name}][data-neuron='{x['i']}'] strong"
                    assert value(explorer, place) == written(x[f"{name}Value"])


def paths_show(explorer, shown):
    """Every node, under both rules, shows its paths, and they add up to δ or ε."""
    for rule in ("exact", "classic"):
        explorer.get_by_label(rule, exact=True).check()
        for id_, start in shown["starts"].items():
            kind, n, t, i = id_.split("-")
            words = "spike" if kind == "o" else "potential"
            label = f"{words} {i} at t = {t}, n = {n}"
            explorer.get_by_role("button", name=label).click()
            entries = explorer.locator("li").all_inner_texts()
            listed = [read(text.strip().rpartition("= ")[2]) for text in entries]
            assert listed == [written(path["value"]) for path in start["paths"]]
            lost = [text.startswith("dropped") for text in entries]
            assert lost == [rule in path["droppedBy"] for path in start["paths"]]
            assert value(explorer, "[data-value=adjoint]") == written(start["adjoint"])
            kept = (p["value"] for p in start["paths"] if rule not in p["droppedBy"])
            assert value(explorer, "[data-value=total]") == written(sum(kept))


def pulse_shows(explorer, shown):
    """Under both rules every step shows what is at each node."""
    for rule, label in (("classic", "classic"), ("exact", "exact")):
        explorer.get_by_role("radio", name=label).check()
        steps = shown["rules"][rule]["steps"]
        for k, step in enumerate(steps):
            step_now = f"step {k} of {len(steps) - 1}"
            expect(explorer.get_by_text(step_now, exact=True)).to_be_visible()
            said = explorer.get_by_role("status").inner_text().replace("\u00a0", " ")
            assert said.startswith(f"Step {k} of" if k else "The error starts at")
            at = sorted(item["label"] for item in step["rest"])
            assert sorted(explorer.locator(".value").all_text_contents()) == at
            explorer.get_by_role("button", name="Next").click(force=True)
        assert said.endswith(shown["rules"][rule]["end"])


def lab_shows(explorer, shown):
    """At one setting the values are the package's."""
    explorer.get_by_role("radio", name="linear").check()
    for name, key in {"taus": "End", "thresholds": "Home", "currents": "End"}.items():
        explorer.locator(f"[data-slider={name}]").press(key)
    explorer.get_by_text("The values as a table").click()
    sizes = [len(shown[k]) for k in ("gates", "taus", "thresholds", "currents")]
    at = (shown["gates"].index("linear"), sizes[1] - 1, 0, sizes[3] - 1)
    run = shown["runs"][np.ravel_multi_index(at, sizes)]
    steps, spikes = len(run["u"]), run["o"].count("1")
    said = explorer.locator("p[role=status]").first
    expect(said).to_contain_text(f": {spikes} of {steps} steps")
    cells = explorer.locator("td[data-value=u]").all_text_contents()
    assert [read(x) for x in cells] == [written(u) for u in run["u"]]
    assert explorer.locator("circle.dot").count() == steps
    assert explorer.locator("line.spike").count() == spikes


def board_shows(explorer, shown):
    """Every neuron under one rule, and a rule of the reader's own, show what the package finds."""
    rules = explorer.get_by_label("Rule:")
    for k, (name, net) in enumerate(shown["networks"].items()):
        explorer.get_by_label(name.removesuffix(" recur"), exact=True).check()
        explorer.get_by_label("recurrent weights").set_checked(name.endswith(" recur"))
        rule = [*net["rules"]][k % len(net["rules"])]
        rules.select_option(rule)
        _setting_shows(explorer, net, net["rules"][rule])
    rules.select_option("exact")
    rules.select_option("your own")  # it begins with all of them
    explorer.get_by_label("take reset").uncheck()
    _setting_shows(explorer, net, net["own"]["reset"])


def _setting_shows(explorer, net, setting):
    """Words, adjoints, lost shares and formulas are those of a setting."""
    found = explorer.evaluate(SHOWN)
    texts = found["texts"]
    kept, dropped = setting["words"]
    assert texts["words"] == [f"{kept} of {kept + dropped}"]
    assert texts.get("shortest", []) == [setting["shortest"]] * bool(dropped)
    assert read(*texts["off"]) == pytest.approx(100 * setting["off"], abs=0.051)
    for state, node in zip(net["states"], setting["nodes"], strict=True):
        kind = state["kind"]
        for name, x in zip(("value", "kept", "dropped"), node, strict=False):
            assert read(*texts[f"{name}-{kind}"]) == written(x)
        assert read(*texts[f"lost-{kind}"]) == pytest.approx(100 * node[3], abs=0.051)
    assert found["formulas"] == len(setting["lines"])
    rows = zip(*setting["moves"].values(), strict=True)
    assert found["crossed"] == sum(all(head is None for head in row) for row in rows)


def hunt_shows(explorer, shown):
    """A wrong answer says what is wrong of it, a right one shows the bug; the next one follows."""
    said = explorer.get_by_role("status")
    for k, bug in enumerate(shown["bugs"][:3]):
        expect(explorer.get_by_text(f"Program {k + 1}", exact=True)).to_be_visible()
        lines = explorer.locator("[data-line]")
        assert lines.count() == len(shown["program"])
        wrong = lines.nth(bug["line"] - 1)
        assert wrong.locator("span").last.text_content() == bug["now"]
        lines.nth(0).click()
        explorer.get_by_label("How does it show?").select_option(bug["symptoms"][-1])
        explorer.get_by_role("button", name="Check").click()
        expect(said).to_contain_text("Line 1: it is right.")
        expect(said).to_contain_text("Symptom: it shows like this.")
        wrong.click()
        explorer.get_by_role("button", name="Check").click()
        expect(said).to_contain_text(bug["what"])
        expect(said).to_contain_text(bug["right"])
        total = f"{k + 1} of {len(shown['bugs'])} found"
        expect(explorer.get_by_text(total)).to_be_visible()
        explorer.get_by_role("button", name="Next program").click()
        head = explorer.get_by_text(f"Program {k + 2}", exact=True)
        expect(head).to_be_in_viewport()
        expect(head).to_be_focused()


SHOWS = {
    "sweep": sweep_shows,
    "paths": paths_show,
    "pulse": pulse_shows,
    "lab": lab_shows,
    "board": board_shows,
    "hunt": hunt_shows,
}
KEYS = {  # from the first control on: what is pressed, and what is there then
    "sweep": {
        "ArrowRight": "label:has-text('classic') input:checked",
        # over First and Back to Next
        "Tab Tab Tab Enter Space": "[role=status]:has-text('Case 3 at t = 2, n = 2')",
        # over Last into the grid
        "Tab Tab ArrowLeft ArrowDown Enter": "[role=status]:has-text('Case 4 at t = 1, n = 1')",
    },
    "paths": {
        "Tab Space": "label:has-text('reset path') input:not(:checked)",
        # over leak and graph to the node
        "Tab Tab Tab ArrowRight ArrowUp": "[aria-pressed=true][aria-label$='1 at t = 2, n = 2']",
        # over the list to its first path
        "Tab Tab Enter": ":has(.arrow.chosen) li:first-child button[aria-pressed=true]",
    },
    "pulse": {
        "ArrowDown": "label:has-text('classic') input:checked",
        "Tab": "[role=group][aria-label^='The graph, unrolled in time']:focus",
        "ArrowRight": ".num:has-text('step 1 of')",
        # where less motion is asked for, nothing plays: the key steps
        "Space": ".num:has-text('step 2 of')",
        "ArrowLeft": ".num:has-text('step 1 of')",
        "Home": ".num:has-text('step 0 of')",
        "End": ":has([role=status]:has-text('paths')) button[aria-disabled=true]:has-text('Next')",
    },
    "lab": {
        "ArrowRight": "label:has-text('linear') input:checked",
        # over leak and threshold to the input
        "Tab Tab Tab Home": "p[role=status]:has-text('The neuron never spikes')",
        "Tab Enter": "table:visible",
    },
    "board": {
        "ArrowRight ArrowRight": "label:has-text('soft reset') input:checked",
        "Tab Space": "label:has-text('recurrent weights') input:checked",
        # to the last rule, your own; over table and spike to carry
        "Tab End": "[data-arrow=carry]:checked",
        "Tab Tab Tab Space": "[data-arrow=carry]:focus:not(:checked)",
    },
    "hunt": {
        "Space ArrowDown": "[data-line='2'] input:checked",
        # over the symptom to Check
        "Tab ArrowDown Tab Enter": "[role=status]:has-text('Line 2:')",
        # over Check and Hint
        "Tab Tab Enter": ":not(:has(input:checked))[role=radiogroup]",
    },
}


def obeys_keys(explorer, name):
    """A reader without a pointer gets everywhere."""
    explorer.locator("input:checked, [data-line] input").first.focus()
    for keys, there in KEYS[name].items():
        for key in keys.split():
            explorer.page.keyboard.press(key)
        expect(explorer.locator(there).first).to_be_attached()


OBEYS = {name: partial(obeys_keys, name=name) for name in KEYS}
