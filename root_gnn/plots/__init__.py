"""Pictures of trained models as PNG or SVG files, by the ending of the path; for pages and notebooks alike.

Every function takes data and a path, writes one file, and leaves no state of matplotlib's changed; the same data give
the same file.
"""

from root_gnn.plots.canvas import Interval as Interval
from root_gnn.plots.runs import Distribution as Distribution
from root_gnn.plots.runs import confusion as confusion
from root_gnn.plots.runs import distributions as distributions
from root_gnn.plots.runs import embedding as embedding
from root_gnn.plots.runs import learning_curves as learning_curves
from root_gnn.plots.runs import roc as roc
from root_gnn.plots.runs import scores as scores
from root_gnn.plots.runs import similarity as similarity
from root_gnn.plots.studies import Band as Band
from root_gnn.plots.studies import calibration as calibration
from root_gnn.plots.studies import comparison as comparison
from root_gnn.plots.studies import correlations as correlations
from root_gnn.plots.studies import cost as cost
from root_gnn.plots.studies import embeddings as embeddings
from root_gnn.plots.studies import importance as importance
from root_gnn.plots.studies import learning as learning
from root_gnn.plots.studies import roc_bands as roc_bands
from root_gnn.plots.studies import scaling as scaling
from root_gnn.plots.studies import training_size as training_size
