#!/bin/sh
# Resolves pyproject.toml into requirements.lock, and proves that the lock installs everywhere.
#
# Versions already locked stay as they are; delete requirements.lock first to renew them all.
set -eu
cd "$(dirname "$0")/.."

PATH=$PATH:$PWD/.venv/bin
command -v uv >/dev/null || {
    echo 'make lock needs uv, which nothing else here does: pipx install uv' >&2
    exit 1
}

uv pip compile --quiet --universal --python-version 3.11 --group dev --generate-hashes \
    --no-header --no-emit-index-url --output-file requirements.lock pyproject.toml

# Set-up takes wheels only, so one missing wheel anywhere would break it for somebody.
for platform in x86_64-manylinux_2_28 aarch64-manylinux_2_28 \
    x86_64-apple-darwin aarch64-apple-darwin; do
    for version in 3.11 3.12 3.13 3.14; do
        # The oldest macOS for which every package has a wheel.
        MACOSX_DEPLOYMENT_TARGET=11.0 uv pip install --no-config --quiet --dry-run --no-deps \
            --require-hashes --only-binary :all: --python-platform "$platform" \
            --python-version "$version" --target .venv/never-written -r requirements.lock || {
            echo "requirements.lock does not install on $platform with Python $version." >&2
            exit 1
        }
    done
done
echo 'requirements.lock installs on Linux and macOS, x86 and ARM, Python 3.11 to 3.14.'
