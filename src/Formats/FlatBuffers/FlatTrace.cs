namespace Optc.Formats.FlatBuffers;

/// <summary>Told of a part of the file: where it starts, how many bytes it has, whose it is.</summary>
internal delegate void FlatTrace(int position, int bytes, FlatPath path, FlatPart part);

/// <summary>What the bytes of a FlatBuffer are for.</summary>
internal enum FlatPart
{
    /// <summary>Head of the file, tables, vtables, lengths of vectors.</summary>
    Structure,

    /// <summary>Elements of a vector or string (with its zero byte), or data outside of the FlatBuffer.</summary>
    Elements,
}
