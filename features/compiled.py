"""Compiling the arithmetic once, and never running yesterday's.

Numba keeps compiled functions on disk and looks at a function's own file to see whether they are out of date. A
function of one file that calls one of another then goes on with the old arithmetic after the other was mended: a
loan book would be counted by code that is no longer there. So what is kept here lies in a folder named by the
contents of every module of this room, and any change to one of them starts a new folder.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import cgutils
from numba.extending import intrinsic

from data.digest import file_digest, json_digest

_Function = TypeVar("_Function", bound=Callable[..., object])
_HERE = Path(__file__).parent
_MODULES = sorted([*_HERE.glob("*.py"), _HERE.parent / "data" / "days.py"])


def source_digest() -> str:
    """BLAKE2b over the sources of everything that is compiled, and of the constants that are compiled in."""
    return json_digest({module.name: file_digest(module) for module in _MODULES})


def _kept_in() -> str | None:
    """The folder of the compiled functions; None where it cannot be written, and then each run compiles anew."""
    folder = _HERE / "__pycache__" / f"compiled-{source_digest()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return str(folder) if os.access(folder, os.W_OK) else None


_KEPT_IN = _kept_in()


def _uncounted(_context: Any, array: Any) -> Any:
    def made(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        view.meminfo = cgutils.get_null_value(view.meminfo.type)
        return view._getvalue()

    return array(array), made


_Array = TypeVar("_Array")
borrowed = cast(Callable[[_Array], _Array], intrinsic(_uncounted))
"""The same array without the count of who holds it: for compiled code that hands it to many functions, each of which would
count up and down, while somebody else holds it all the time. A loan is six arrays, and counting took half of the time
of all that is told of it. Never given back to Python, which would not hold it either."""


def compiled(function: _Function) -> _Function:
    """`numba.njit`, kept on disk for as long as no module of this room changes; it lets go of the interpreter's lock."""
    return _compiled(function, within=False)


def built_in(function: _Function) -> _Function:
    """`compiled`, and put as it stands wherever compiled code calls it: handing a loan on to a call costs as much as twenty of
    its facts. For what is called in one or two places of what is done for every loan and day."""
    return _compiled(function, within=True)


def _compiled(function: _Function, within: bool) -> _Function:
    before = vars(numba.config)["CACHE_DIR"]
    try:
        # Numba reads the folder while it decorates; other libraries' functions stay where they are.
        vars(numba.config)["CACHE_DIR"] = _KEPT_IN or before
        made = numba.njit(cache=_KEPT_IN is not None, nogil=True, forceinline=within)(function)
        return cast(_Function, made)
    finally:
        vars(numba.config)["CACHE_DIR"] = before
