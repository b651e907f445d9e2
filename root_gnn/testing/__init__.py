"""Checks that every plug-in must pass, for the tests of a plug-in's author.

    from root_gnn.testing import check_encoder
    from my_package import my_network

    def test_my_network():
        check_encoder(my_network.Config().build)

Each raises AssertionError with a sentence about the fault, and runs on one CPU in about a second.
"""

from root_gnn.testing.augmentations import check_augmentation as check_augmentation
from root_gnn.testing.batches import QUESTION as QUESTION
from root_gnn.testing.batches import SIZES as SIZES
from root_gnn.testing.batches import SLOTS as SLOTS
from root_gnn.testing.batches import TinyEncoder as TinyEncoder
from root_gnn.testing.batches import collimated as collimated
from root_gnn.testing.batches import random_batch as random_batch
from root_gnn.testing.encoders import check_encoder as check_encoder
from root_gnn.testing.heads import check_head as check_head
from root_gnn.testing.leak import check_hidden as check_hidden
from root_gnn.testing.objectives import check_no_leak as check_no_leak
from root_gnn.testing.objectives import check_objective as check_objective
