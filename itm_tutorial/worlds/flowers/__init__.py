"""The drawn flowers: invented species, alone, in clusters or spikes, with ten descriptions per image."""
