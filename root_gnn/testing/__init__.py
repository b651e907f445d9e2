"""Checks that a plug-in of one's own must pass, to be called in tests of one's own."""

from root_gnn.testing.conformance import QUESTION as QUESTION
from root_gnn.testing.conformance import SIZES as SIZES
from root_gnn.testing.conformance import SLOTS as SLOTS
from root_gnn.testing.conformance import TinyEncoder as TinyEncoder
from root_gnn.testing.conformance import check_augmentation as check_augmentation
from root_gnn.testing.conformance import check_encoder as check_encoder
from root_gnn.testing.conformance import check_head as check_head
from root_gnn.testing.conformance import check_no_leak as check_no_leak
from root_gnn.testing.conformance import check_objective as check_objective
from root_gnn.testing.conformance import collimated as collimated
from root_gnn.testing.conformance import random_batch as random_batch
from root_gnn.testing.leak import check_hidden as check_hidden
