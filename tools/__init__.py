"""What AWS and monitoring systems say. Facts only."""
