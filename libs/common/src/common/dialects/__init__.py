"""The parts of foreign protocols that more than one service needs: envelopes, errors, field formats."""
