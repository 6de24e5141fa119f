def test_bundle(tiny_bundle): print(tiny_bundle.manifest.bands)
def test_demo(tiny_demo): print(list(tiny_demo.iterdir()))
