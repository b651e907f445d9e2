"""Words in names of branches, and their meaning."""

from __future__ import annotations

import re
from collections.abc import Mapping

FEATURES: Mapping[str, tuple[str, ...]] = {
    "pt": ("pt",),
    "eta": ("eta",),
    "phi": ("phi",),
    "px": ("px", "momentum.x"),
    "py": ("py", "momentum.y"),
    "pz": ("pz", "momentum.z"),
    "energy": ("e", "energy", "en", "pe"),
    "mass": ("m", "mass"),
    "charge": ("charge", "q"),
    "btag": ("btag", "btagcsvv2", "btagdeepflavb", "btagpnetb", "btagupartak4b", "isbtag", "bjet", "tag"),
}
"""Spellings of each feature, lower case, the preferred one first."""
KINDS: Mapping[str, tuple[str, ...]] = {
    "jet": ("jet", "jets", "akt", "ak", "fj", "j"),
    "electron": ("electron", "electrons", "ele", "el"),
    "muon": ("muon", "muons", "mu"),
    "photon": ("photon", "photons", "ph", "gamma"),
}
"""Spellings of the standard collections, lower case, the preferred one first; their order is the node type."""
PARTICLE, LEPTON = "particle", "lepton"
LEPTONS = ("lep", "lepton", "leptons", "leps")
PARTICLES = (
    "part",
    "parts",
    "particle",
    "particles",
    "pfcand",
    "pfcands",
    "cand",
    "cands",
    "candidate",
    "candidates",
    "constituent",
    "constituents",
    "constit",
    "pfo",
    "pfos",
    "track",
    "tracks",
    "trk",
    "trks",
    "tower",
    "towers",
)
ELSEWHERE = frozenset(
    {
        "gen",
        "mc",
        "truth",
        "true",
        "lhe",
        "sub",
        "soft",
        "tau",
        "taus",
        "trig",
        "trigger",
        "hlt",
        "l",
        "fat",
        "large",
        "corr",
        "low",
        "iso",
        "boosted",
        "calo",
        "fsr",
        "sv",
        "other",
        "dressed",
        "track",
        "vis",
        "raw",
        "vr",
        "subset",
        "links",
        "link",
        "aux",
        "sd",
        "softdrop",
    }
)
"""Words that make other objects of a kind: those are no nodes of a drafted spec."""
SILENT = frozenset(
    {
        "pf",
        "puppi",
        "chs",
        "nosys",
        "auxdyn",
        "dyn",
        "emtopo",
        "em",
        "topo",
        "analysis",
        "inputs",
        "source",
        "offline",
        "scouting",
        "reco",
        "rec",
        "reconstructed",
        "selected",
        "good",
        "baseline",
        "container",
    }
)
"""Words that say nothing about what an object is."""
IDS = (
    ("run", "luminosityBlock", "event"),
    ("runNumber", "lumiBlock", "eventNumber"),
    ("process", "eventNumber"),
    ("runNumber", "eventNumber"),
    ("RunNumber", "EventNumber"),
    ("Run", "Lumi", "Event"),
    ("Run", "Event"),
    ("run_number", "event_number"),
    ("eventNumber",),
    ("event_number",),
    ("EventNumber",),
    ("event",),
    ("Event.Number",),
    ("eventnumber",),
    ("event_id",),
)
WEIGHTS = (
    "genWeight",
    "weight",
    "EventWeight",
    "mc_sf",
    "mcWeight",
    "eventWeight",
    "event_weight",
    "Event.Weight",
    "mcEventWeights",
    "weights",
    "Weight",
    "weight_mc",
    "XGenWeight",
)
LABELS = (
    "is_signal_new",
    "is_signal",
    "isSignal",
    "signal",
    "label",
    "y",
    "target",
    "HadronConeExclTruthLabelID",
    "flavour_label",
    "jet_flavour",
    "class_label",
)
SPLITS = ("ttv", "train_val_test", "split")
MASKS = ("mask", "valid", "is_valid")
SENTINELS = (-999.0, -9999.0, -99.0, -3000.0, -1000.0, -99999.0, 999.0, 9999.0, 999.9, -999.9)
TRUTH = re.compile(r"n_(higgs|top|[WZHtb]|tau)|label_\w+")
EXTRAS: Mapping[str, tuple[str, ...]] = {
    "d0": ("d0", "d0val", "dxy"),
    "d0_error": ("d0err", "d0error", "dxyerr", "dxyerror"),
    "dz": ("dz", "dzval", "z0", "z0sintheta"),
    "dz_error": ("dzerr", "dzerror", "z0err", "z0error"),
}
"""Spellings of further features of a jet's constituents."""
TANH = ("d0", "dz")
RELATIVE = ("qOverP", "deta", "dphi")
"""How tracks are given relative to their jet."""
BEHIND = re.compile(r"(_NOSYS|_?\[?[MG]eV\]?)+$")  # the nominal variation or a unit, behind the feature: `jet_pt_NOSYS`
FLAG = re.compile(r"is[A-Z]\w+")
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
MISSING = re.compile(
    r"(?:scouting|reco|)(?P<head>pf|puppi|)(?:met|missinget)(?:met|)(?:momentum)?(?P<tail>|pt|et|phi|x|y|px|py|mpx|mpy)"
)
MISSING_FEATURES = {
    "": "pt",
    "pt": "pt",
    "et": "pt",
    "phi": "phi",
    "x": "px",
    "y": "py",
    "px": "px",
    "py": "py",
    "mpx": "px",
    "mpy": "py",
}


def split_name(name: str) -> tuple[str, str]:
    """Prefix and feature: `Jet_pt`, `Jet/Jet.PT`, `AnalysisJetsAuxDyn.pt`, `Jets.momentum.x`, `jets/pt`."""
    path, _, leaf = name.rpartition("/")
    if leaf.lower().endswith((".momentum.x", ".momentum.y", ".momentum.z")):
        return leaf[: -len(".momentum.x")], leaf[-len("momentum.x") :]
    leaf = BEHIND.sub("", leaf)
    place = leaf.rfind(".") if "." in leaf else max(leaf.rfind("_"), leaf.rfind(":"))
    return (leaf[:place], leaf[place + 1 :]) if place > 0 else (path, leaf)


def feature_of(suffix: str) -> str | None:
    """The feature that the last part of a branch name spells."""
    return next((name for name, spellings in FEATURES.items() if suffix.lower() in spellings), None)


def rank_of(feature: str, suffix: str) -> int:
    """How preferred a spelling of a feature is, 0 the most."""
    return FEATURES[feature].index(suffix.lower())


def extra_of(suffix: str) -> str | None:
    """Returns the feature of constituents that a suffix spells: impact parameters, and flags such as `isPhoton`."""
    known = next((name for name, spellings in EXTRAS.items() if suffix.lower() in spellings), None)
    return known or (suffix if FLAG.fullmatch(suffix) else None)


def split_words(prefix: str) -> list[str]:
    """The words of a prefix, lower case, without digits."""
    return [word.lower() for word in WORD.findall(prefix.replace("AuxDyn", ""))]


def kind_of(prefix: str) -> tuple[str | None, int]:
    """Returns the collection that a prefix names, `particle` or None, and the number of its further words."""
    found = split_words(prefix)
    while found and found[-1] in SILENT:
        found.pop()
    if not found:
        return None, 0
    *before, last = found
    names = [kind for kind, spellings in KINDS.items() if last in spellings]
    if not names and last in (*PARTICLES, *LEPTONS):
        names = [PARTICLE if last in PARTICLES else LEPTON]
    if not names:
        names = [kind for kind, spellings in KINDS.items() if last.endswith((spellings[0], spellings[1]))]  # `recojet`
        before = [*before, last.removesuffix("s")[: -len(KINDS[names[0]][0])]] if names else before
    if not names or any(word in ELSEWHERE for word in before):
        return None, 0
    return names[0], sum(word not in SILENT for word in before)


def missing_momentum(name: str) -> tuple[str, str] | None:
    """Whose missing momentum (empty, `pf`, `puppi`) a branch is, and which feature; None where it is none."""
    found = MISSING.fullmatch(re.sub(r"[_./:]", "", BEHIND.sub("", name.rpartition("/")[2])).lower())
    return None if found is None else (found["head"], MISSING_FEATURES[found["tail"]])
