namespace Optc.Formats.FlatBuffers;

/// <summary>A written object, by its distance in bytes from the end of the file; zero is no object.</summary>
internal readonly record struct FlatOffset(int FromEnd)
{
    public bool IsNull => FromEnd == 0;
}
