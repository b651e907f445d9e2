"""What a study answers: a plug-in each, which computes, writes and draws it; see `root_gnn.study.answer`."""
