namespace Optc.Formats.FlatBuffers;

/// <summary>Told of a part of the file: where it starts, how many bytes it has, whose it is.</summary>
internal delegate void FlatTrace(int position, int bytes, FlatPath path, FlatPart part);

/// <summary>What the bytes of a FlatBuffer are for.</summary>
internal enum FlatPart
{
    /// <summary>Offset of the root and identifier.</summary>
    Head,

    /// <summary>Fields of a table in their place.</summary>
    Table,

    /// <summary>Where the fields of a table stand; tables with the same fields share it.</summary>
    VTable,

    /// <summary>Length of a vector or string.</summary>
    Length,

    /// <summary>Elements of a vector or string (with its zero byte), or data outside of the FlatBuffer.</summary>
    Elements,
}
