#!/bin/sh
# Makes .venv hold exactly what requirements.lock says, and does nothing when it already does.
#
# A lock that changed, a folder that moved, a Python that vanished and an install that was
# interrupted all lead to a new .venv, never to a patched one.
# The newest Python found is taken; make setup PYTHON=... names another for the next new .venv.
# Everything is said on standard error: standard output belongs to the target that called this.
set -eu
cd "$(dirname "$0")/.."
exec >&2

# One word about the Python named: suitable, old, new, or what it lacks.
judge() {
    "$1" -I -c '
import sys
if sys.version_info < (3, 11):
    print("old")
elif sys.version_info >= (3, 15):
    print("new")
else:
    lacking = []
    for name in ("venv", "ensurepip", "sqlite3", "ssl"):
        try:
            __import__(name)
        except ImportError:
            lacking.append(name)
    print(",".join(lacking) or "suitable")
' 2>/dev/null || echo absent
}

version_of() {
    "$1" -I -c 'import platform; print(platform.python_version())'
}

give_up() {
    printf '\nwhistle: %s\n' "$1"
    shift
    printf '  %s\n' "$@"
    exit 1
}

# Sets $python to the first candidate that is suitable, or explains what to do about the rest.
choose_python() {
    seen='' incomplete=''
    for python in "$@"; do
        # A version manager's stand-in may be on the path and yet run nothing: ask, do not look.
        verdict=$(judge "$python")
        case $verdict in
            suitable) return ;;
            absent) ;;
            old | new) seen="$seen $python is $(version_of "$python"), too $verdict;" ;;
            *)
                seen="$seen $python $(version_of "$python") lacks $verdict;"
                incomplete=${incomplete:-$python:$verdict}
                ;;
        esac
    done
    case $incomplete in
        '')
            give_up "needs Python 3.11 to 3.14;${seen:- $* not found;} nothing was changed." \
                "Install one (Debian, Ubuntu: apt install python3 python3-venv;" \
                "macOS: brew install python@3.13), then run make again." \
                "One outside the search path: make setup PYTHON=/path/to/python3.12"
            ;;
        *:venv* | *:ensurepip*)
            minor=$("${incomplete%%:*}" -I -c 'import sys; print("%d.%d" % sys.version_info[:2])')
            give_up "no Python here can make a virtual environment:$seen nothing was changed." \
                "Debian, Ubuntu: apt install python$minor-venv, then run make again." \
                "Elsewhere install a complete Python 3.11 to 3.14," \
                "or name one: make setup PYTHON=/path/to/python3.12"
            ;;
        *)
            give_up "no Python here is complete:$seen nothing was changed." \
                "Install a Python 3.11 to 3.14 that was built with these modules, then run make" \
                "again, or name one: make setup PYTHON=/path/to/python3.12"
            ;;
    esac
}

pip() {
    # A person who waits sees progress; a log holds only errors.
    if [ -t 2 ]; then quiet=''; else quiet=-qq; fi
    PIP_USER=0 .venv/bin/python -m pip $quiet --disable-pip-version-check --no-input "$@"
}

# Each mark is written after the work it stands for, so an interrupted run leaves none behind.
packages_mark=.venv/.packages-installed
packages_wanted="$(cksum <requirements.lock) in $(pwd -P)"
project_mark=.venv/.project-installed
project_wanted=$(cksum <pyproject.toml)

holds() {
    [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]
}

if ! holds "$packages_mark" "$packages_wanted" || ! .venv/bin/python -c '' 2>/dev/null; then
    if [ -n "${PYTHON:-}" ]; then
        choose_python "$PYTHON"
    else
        choose_python python3.14 python3.13 python3.12 python3.11 python3
    fi
    echo "whistle: making .venv with Python $(version_of "$python"); about a minute, once per lock."
    rm -rf .venv
    "$python" -m venv .venv ||
        give_up "$python could not make .venv (see above)." \
            "make setup PYTHON=/path/to/python3.12 tries another Python."
    # Wheels only: a source package would fetch build tools that no hash covers.
    pip install --require-hashes --only-binary :all: -r requirements.lock ||
        give_up "the packages could not be installed (see above); .venv is not complete." \
            "Check that pip reaches its package index, then run make again."
    echo "$packages_wanted" >"$packages_mark"
fi

if ! holds "$project_mark" "$project_wanted"; then
    pip install --no-index --no-deps --no-build-isolation --editable . ||
        give_up "whistle itself could not be installed (see above); .venv is not complete." \
            "Mend what is said above (most often pyproject.toml), then run make again."
    echo "$project_wanted" >"$project_mark"
fi
