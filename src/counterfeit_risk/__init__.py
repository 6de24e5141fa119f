"""From marketplace listings to a calibrated counterfeit risk and a takedown queue that people work."""
