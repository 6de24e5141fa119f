"""Image encoder and text encoder, fused into a logit. Pure torch; knows no listing."""
