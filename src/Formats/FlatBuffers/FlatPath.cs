using System.Globalization;

namespace Optc.Formats.FlatBuffers;

/// <summary>Where a value stands, for messages: a name in its owner, with an index where that is a vector.</summary>
internal sealed record FlatPath(FlatPath? Owner, string Name, int Index = -1)
{
    /// <summary>E.g. <c>Model.subgraphs[0].tensors[7]</c>.</summary>
    public override string ToString()
    {
        string prefix = Owner is null ? "" : Owner + ".";
        string index = Index < 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"[{Index}]");
        return prefix + Name + index;
    }
}
