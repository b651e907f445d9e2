"""Names of branches: prefix, feature, collection."""

from __future__ import annotations

from root_gnn.data.inspection.naming import extra_of, feature_of, kind_of, missing_momentum, split_name


def test_names_of_many_layouts() -> None:
    names = {
        "Jet_pt": ("Jet", "pt"),
        "Jet/Jet.PT": ("Jet", "PT"),
        "AnalysisJetsAuxDyn.pt": ("AnalysisJetsAuxDyn", "pt"),
        "event": ("", "event"),
        "Jet/Jet.momentum.x": ("Jet", "momentum.x"),
        "jets/pt": ("jets", "pt"),
        "jet_pt_NOSYS": ("jet", "pt"),
        "jets.pt_btagJes": ("jets", "pt_btagJes"),
    }
    assert {name: split_name(name) for name in names} == names
    kinds = {
        "ScoutingPFJet": "jet",
        "offline_akt4_pf_NOSYS": "jet",
        "AnalysisElectronsAuxDyn": "electron",
        "ReconstructedParticles": "particle",
        "FatJet": None,
        "trigger_akt4_pf": None,
        "AnalysisTauJetsAuxDyn": None,
        "TruthMuonsAuxDyn": None,
        "GenJetAK8": None,
        "recojet": "jet",
    }
    assert {prefix: kind_of(prefix)[0] for prefix in kinds} == kinds
    assert [
        missing_momentum(name) for name in ("met_met", "METx", "MissingET.Phi", "PFMET_pt", "GenMET_pt", "met_sumet")
    ] == [
        ("", "pt"),
        ("", "px"),
        ("", "phi"),
        ("pf", "pt"),
        None,
        None,
    ]


def test_features_are_spelt_in_many_ways_and_flags_are_kept() -> None:
    assert [feature_of(suffix) for suffix in ("PT", "eta", "Phi", "isolation")] == ["pt", "eta", "phi", None]
    assert extra_of("isPhoton") == "isPhoton"
    assert extra_of("nonsense") is None
