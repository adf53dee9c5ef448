using System.Collections.Immutable;
using Optc.Formats.TfLite;

namespace Optc.Backends.TfLite;

/// <summary>
/// The operator codes of a file, as the standard converter makes them: one for each builtin or custom name in order of
/// first use, with the largest version that any use needs.
/// </summary>
internal sealed class OperatorCodePool
{
    private readonly List<OperatorCodeRecord> _codes = [];

    public ImmutableArray<OperatorCodeRecord> Codes => [.. _codes];

    public uint Add(BuiltinOperator code, string customName, int version)
    {
        int index = _codes.FindIndex(c => c.BuiltinCode == code && (c.CustomCode ?? "") == customName);
        if (index < 0)
        {
            _codes.Add(new() { BuiltinCode = code, CustomCode = customName.Length == 0 ? null : customName, Version = version });
            return (uint)_codes.Count - 1;
        }

        _codes[index] = _codes[index] with { Version = Math.Max(_codes[index].Version, version) };
        return (uint)index;
    }
}
