"""Draws the photo of a scene: the place, the goods and their shadow, the light, and what the camera makes of it.

Knows no label and no title, and nothing but the scene: the same scene always gives the same pixels, and what the tells
change is the mark, the wordmark, the stitches and the label alone.
"""

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from counterfeit_risk.market.chance import happens, pick
from counterfeit_risk.market.pictures.backdrops import Backdrop, draw_backdrop
from counterfeit_risk.market.pictures.camera import Camera, draw_camera, expose
from counterfeit_risk.market.pictures.closeups import draw_detail, draw_hem, draw_label
from counterfeit_risk.market.pictures.finishes import Finish, draw_finish
from counterfeit_risk.market.pictures.goods_tells import Tells, draw_mark, smear, tells_in_view
from counterfeit_risk.market.pictures.layers import SCALE, CutOut, Layer, Picture
from counterfeit_risk.market.pictures.packages import draw_package
from counterfeit_risk.market.pictures.props import PALM, THUMB, skin_inks
from counterfeit_risk.market.pictures.scenes import Place, Scene, View
from counterfeit_risk.market.pictures.shapes import Placement, Shape, fill
from counterfeit_risk.market.pictures.textures import Light, folds, texture

_HOMES = frozenset({Place.TABLE, Place.FLOOR, Place.BED, Place.SHELF})
_CAMERA, _BACKDROP, _POSE, _SURFACE, _EXPOSURE, _HAND = range(6)
"""Parts of a shot; each draws from its own generator, so that none depends on what another draws."""


@dataclass(frozen=True)
class _Shot:
    """What one shot has in common for all its parts."""

    scene: Scene
    camera: Camera
    finish: Finish
    tells: Tells

    def generator(self, part: int) -> np.random.Generator:
        return np.random.default_rng((self.scene.seed, part))

    def layer(self) -> Layer:
        return Layer(self.camera.size, self.finish.inks["body"])


def render_photo(scene: Scene) -> Image.Image:
    """Takes the photo of a scene.

    Returns:
        RGB, the longer side 320 pixels.

    Raises:
        KeyError: the scene's colour is not one of `products.COLOURWAYS`.
        ValueError: a seed is negative.
    """
    camera = draw_camera(scene.place, np.random.default_rng((scene.seed, _CAMERA)))
    shot = _Shot(scene, camera, draw_finish(scene), tells_in_view(scene))
    picture, mark = _near(shot) if _is_near(scene) else _from_afar(shot)
    photo = expose(picture, camera, shot.generator(_EXPOSURE))
    smear(photo, mark, shot.tells)
    return photo


def _is_near(scene: Scene) -> bool:
    """Plain goods have no mark to come near to: their detail is a part of the goods."""
    return scene.view is View.LABEL or (scene.view is View.DETAIL and scene.brand is not None)


def _near(shot: _Shot) -> tuple[Picture, Placement]:
    """The goods fill the photo."""
    rng, layer = shot.generator(_POSE), shot.layer()
    width, height = layer.image.size
    side = min(width, height) * rng.uniform(0.76, 1.0)
    centre = (width * rng.uniform(0.44, 0.56), height * rng.uniform(0.44, 0.56))
    where = Placement(centre, side, degrees=float(rng.uniform(-14, 14)))
    light = folds(shot.camera.size, 0.13, shot.generator(_BACKDROP))
    if shot.scene.view is View.LABEL:
        draw_hem(layer, shot.finish, where)
        return _labelled(layer.cut_out().picture * _surface(shot), shot, where) * light, where
    mark = draw_detail(layer, shot.scene, shot.finish, where, shot.tells)
    return layer.cut_out().picture * (_surface(shot) * light), mark


def _labelled(cloth: Picture, shot: _Shot, where: Placement) -> Picture:
    layer = Layer(shot.camera.size, shot.finish.inks["edge"])
    draw_label(layer, shot.scene, shot.finish, where, shot.tells)
    cut = layer.cut_out()
    shade = cut.shadow((3 * -shot.camera.light_from, 4), softness=1, strength=0.4)
    return cut.lay_on(cloth * shade, texture("paper", shot.camera.size, shot.generator(_SURFACE)))


def _from_afar(shot: _Shot) -> tuple[Picture, Placement]:
    """The goods, or their package, in a place."""
    backdrop = draw_backdrop(shot.scene.place, shot.camera.size, shot.generator(_BACKDROP))
    where = _pose(shot, backdrop)
    if shot.scene.view is View.BOX:
        return _packed(shot, backdrop, where)
    held = _is_held(shot) and not backdrop.from_above
    picture = _hold(backdrop.picture, PALM, shot, where) if held else backdrop.picture
    layer = shot.layer()
    mark = _draw_goods(layer, shot, where)
    picture = _stand(picture, layer.cut_out(), shot, where, _surface(shot))
    return (_hold(picture, THUMB, shot, where) if held else picture), mark


def _packed(shot: _Shot, backdrop: Backdrop, where: Placement) -> tuple[Picture, Placement]:
    """The package, sometimes with the goods beside it."""
    picture, rng = backdrop.picture, shot.generator(_HAND)
    if happens(rng, 0.4):
        side = pick(rng, (-1, 1))
        where = replace(where, centre=where.land((0.5 - 0.14 * side, 0.5)), side=0.84 * where.side)
        goods = Placement(where.land((0.5 + 0.55 * side, 0.66)), 0.66 * where.side, where.degrees)
        layer = shot.layer()
        _draw_goods(layer, shot, goods)
        picture = _stand(picture, layer.cut_out(), shot, goods, _surface(shot))
    layer = shot.layer()
    draw_package(layer, shot.scene.brand, shot.finish.pattern // 7, where, shot.tells)
    paper = texture("paper", shot.camera.size, shot.generator(_SURFACE))
    return _stand(picture, layer.cut_out(), shot, where, paper), where


def _pose(shot: _Shot, backdrop: Backdrop) -> Placement:
    """Where the goods are: upright on their foot, or lying anyhow."""
    rng = shot.generator(_POSE)
    width, height = (SCALE * pixels for pixels in shot.camera.size)
    near = 1.6 if shot.scene.view is View.DETAIL else 1.0
    side = near * min(width, height) * rng.uniform(0.68, 0.84)
    x, lift = width * rng.uniform(0.45, 0.55), height * rng.uniform(0.05, 0.1)
    if backdrop.from_above or near > 1:
        return Placement((x, height * rng.uniform(0.46, 0.54)), side, degrees=float(rng.uniform(-24, 24)))
    foot = 1.0 if shot.scene.view is View.BOX else shot.scene.product.foot
    y = min(height - lift - side * (foot - 0.5), height * 0.5 + side * 0.08)
    return Placement((x, max(y, 0.47 * height)), side, degrees=float(rng.uniform(-3, 3)))


def _draw_goods(layer: Layer, shot: _Shot, where: Placement) -> Placement:
    """Draws the whole goods with their mark; returns where the mark is."""
    product, brand = shot.scene.product, shot.scene.brand
    fill(layer.pen, product.shapes, where, shot.finish.inks)
    for seam in product.seams:
        layer.pen.line(where.land_all(seam), fill=shot.finish.thread, width=2)
    mark = Placement(where.land(product.mark_centre), where.side * product.mark_side, where.degrees)
    if brand and product.mark_side:
        draw_mark(layer, brand, mark, shot.tells)
    return mark


def _stand(picture: Picture, cut: CutOut, shot: _Shot, where: Placement, surface: Light) -> Picture:
    """Lays a thing on the picture with its shadow and the light on its form."""
    lean = -shot.camera.light_from * where.side / 60
    picture = picture * cut.shadow((lean, where.side / 70), softness=4, strength=0.38)
    picture *= cut.shadow((lean / 3, 3), softness=1, strength=0.35)
    depth = 0.2 if shot.finish.sewn else 0.3
    return cut.lay_on(picture, cut.rounded(shot.camera.light_from, depth=depth) * surface)


def _surface(shot: _Shot) -> Light:
    return texture(shot.finish.surface, shot.camera.size, shot.generator(_SURFACE))


def _is_held(shot: _Shot) -> bool:
    return shot.scene.place in _HOMES and happens(shot.generator(_HAND), 0.3)


def _hold(picture: Picture, part: tuple[Shape, ...], shot: _Shot, where: Placement) -> Picture:
    """Adds the part of a hand that is behind the goods, or that before them."""
    layer = shot.layer()
    hand = Placement(where.land((0.64, shot.scene.product.foot + 0.08)), 0.5 * where.side, where.degrees)
    fill(layer.pen, part, hand, skin_inks(shot.generator(_HAND)))
    cut = layer.cut_out()
    return cut.lay_on(
        picture * cut.shadow((0, 3), softness=1, strength=0.3), cut.rounded(shot.camera.light_from, depth=0.25)
    )
