using System.Collections.Immutable;

namespace Optc.Backends;

/// <summary>One file that a backend makes.</summary>
/// <param name="Name">File name without folder.</param>
/// <param name="Write">Writes the content; may be called more than once and gives the same bytes each time.</param>
public sealed record Artifact(string Name, Action<Stream> Write)
{
    /// <summary>The content in memory.</summary>
    public byte[] ToArray()
    {
        using MemoryStream stream = new();
        Write(stream);
        return stream.ToArray();
    }
}

/// <summary>What a backend makes of a model: files that exist only as a promise until the caller writes them.</summary>
public sealed record ArtifactSet(ImmutableArray<Artifact> Files);
