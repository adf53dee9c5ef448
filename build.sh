#!/usr/bin/env bash
# The verbs of the project; each is one command. Words after the verb are passed on to it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

verb="${1:-help}"
shift || true
case "$verb" in
    build)  dotnet build Optimizer.sln -c Release --nologo -v quiet "$@" ;;
    test)   dotnet test Optimizer.sln -c Release --nologo -v quiet "$@" ;;
    format) dotnet format Optimizer.sln --verify-no-changes "$@" ;;
    bless)  OPTC_BLESS=1 dotnet test Optimizer.sln -c Release --nologo -v quiet "$@" ;;
    bench)  dotnet run --project tests/Benchmarks -c Release -- "$@" ;;
    docs)   OPTC_BLESS=1 dotnet test tests/Architecture -c Release --nologo -v quiet "$@" ;;
    *)
        cat <<'HELP'
usage: ./build.sh VERB [arguments of the command behind it]

  build   compile everything; warnings are errors
  test    compile and run all tests
  format  check the format of the sources ('dotnet format Optimizer.sln' repairs it)
  bless   run all tests and accept what they produce as the new golden files; review the diff
  bench   run the benchmarks
  docs    write the generated pages of docs/ anew
HELP
        [ "$verb" = help ] || exit 2
        ;;
esac
