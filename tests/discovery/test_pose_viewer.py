"""The 3-D page fetches nothing, runs only our scripts, and has a flat form beside it."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from dataclasses import replace

import pytest

from discovery.results import Run
from discovery.views.pocket import atoms_of
from discovery.views.pose_viewer import PoseView, posed, script_json, viewer_page
from discovery.views.reading import pose_of
from tests.discovery.fake_run import fake_run, prolif_data

html5lib = pytest.importorskip("html5lib", reason="html5lib, of the dev extra, is absent")
pytestmark = pytest.mark.skipif(
    prolif_data() is None, reason="the prolif package, which ships the receptor, is absent"
)


def view(run: Run | None = None) -> PoseView:
    run = run or fake_run()
    return PoseView.of(run, run.ranked[:4])


def test_only_our_scripts_may_run() -> None:
    """Each script and style is named in the policy by a hash computed here from the parsed page."""
    page = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(view().page())
    policy = page.find(".//meta[@http-equiv]").get("content")
    scripts = [s for s in page.iter("script") if s.get("type") != "application/json"]
    assert len(scripts) == 3
    for element in [*scripts, *page.iter("style")]:
        digest = base64.b64encode(hashlib.sha256((element.text or "").encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
        assert element.get("src") is None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"https?:", policy)


def test_the_scene_is_whole() -> None:
    page = html5lib.HTMLParser(namespaceHTMLElements=False).parse(view().page())
    scene = json.loads(page.find(".//script[@type='application/json']").text)
    assert [pose["id"] for pose in scene["poses"]] == [row.id for row in fake_run().ranked[:4]]
    for pose in scene["poses"]:
        assert pose["sdf"].count("M  END") == 1
        assert len(pose["lines"]) == len(pose["contacts"]) == 5
        assert "A:129" in pose["near"]
    assert scene["reference"]
    assert len(scene["receptor"]) < 200_000


def test_shows_where_scripts_do_not_run() -> None:
    """What JupyterLab keeps of an untrusted output: no frame, no style block, no script; the pictures stay."""
    text = view()._repr_html_()
    kept = re.sub(r"<iframe.*?</iframe>", "", text, flags=re.S)
    assert kept.count('<img width="345"') == 3
    assert "data:image/svg+xml;base64," in kept
    frame = re.search(r'<iframe[^>]* sandbox="allow-scripts"[^>]* srcdoc="([^"]*)"', text)
    assert frame is not None
    assert html.unescape(frame[1]) == view().page()


def test_texts_cannot_leave_the_data_block() -> None:
    text = str(script_json({"a": "</script><script>alert(1)</script><!--", "b": "\u2028&"}))
    assert not set(text) & set("<>&\u2028")
    assert json.loads(text) == {"a": "</script><script>alert(1)</script><!--", "b": "\u2028&"}
    with pytest.raises(ValueError, match="JSON"):
        script_json(float("nan"))


def test_pose_text_is_rewritten() -> None:
    """Whatever a plug-in put into the mol block's title or after its end does not travel."""
    run = fake_run()
    (pose,) = posed(run.ranked[:1], atoms_of(run.receptor_pdb))
    assert pose.mol_block.splitlines()[0] == ""
    assert pose.mol_block.rstrip().endswith("M  END")


def test_no_pose_is_a_message() -> None:
    run = fake_run()
    with pytest.raises(ValueError, match="none of the 3 rows has a pose"):
        PoseView.of(run, run.unranked[:3])


def test_page_is_plain_text_safe() -> None:
    assert "\x1b" not in viewer_page(view().content)


def test_five_hundred_poses_share_one_canvas_and_a_page_that_opens() -> None:
    run = fake_run(120, posed=8, hostile=False)
    rows = [row for row in run.rows if pose_of(row)]
    many = [replace(rows[n % len(rows)], id=f"pose-{n}") for n in range(500)]
    view = PoseView.of(run, many)
    page = view.page()
    assert len(view.content["poses"]) == 500
    assert page.count('class="pv-canvas"') == 1  # one viewer, one WebGL context, whatever the number of poses
    assert page.count("createViewer(canvas") == 1
    assert len(page) < 10_000_000
