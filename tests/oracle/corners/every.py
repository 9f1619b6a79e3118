"""All programs: importing this module fills `PROGRAMS`."""

from oracle.corners import arguments as arguments
from oracle.corners import around as around
from oracle.corners import calls as calls
from oracle.corners import cells as cells
from oracle.corners import custom as custom
from oracle.corners import functional as functional
from oracle.corners import graphs as graphs
from oracle.corners import helpers as helpers
from oracle.corners import keras_layers as keras_layers
from oracle.corners import loops as loops
from oracle.corners import mixed as mixed
from oracle.corners import scopes as scopes
from oracle.corners import scripts as scripts
from oracle.corners import scripts_of_2016 as scripts_of_2016
from oracle.corners import shapes as shapes
from oracle.corners import starts as starts
from oracle.corners import states as states
from oracle.corners import tf_names as tf_names
from oracle.corners import wrappers as wrappers
