"""What dsflow 0.3's notebooks import."""
from dsflow import DsflowContext as DsflowContext
