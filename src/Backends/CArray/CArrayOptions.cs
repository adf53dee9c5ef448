namespace Optc.Backends.CArray;

/// <summary>Form of the C source.</summary>
public enum CArrayStyle
{
    /// <summary>A header that declares and a source that defines; aligned to 16 bytes, as TFLite Micro asks of a model.</summary>
    HeaderAndSource,

    /// <summary>
    /// One header that defines the array and its length, as <c>xxd -i</c> prints it, aligned to 8 bytes: what the Pico
    /// tutorials include.
    /// </summary>
    XxdHeader,
}

/// <param name="Symbol">C identifier of the array; the files are named after it.</param>
public sealed record CArrayOptions(string Symbol, CArrayStyle Style = CArrayStyle.HeaderAndSource);
