using Optc.Ir;

namespace Optc.Ops.Execution;

/// <summary>Variables that all graphs of a session share and that keep their bytes between invocations.</summary>
/// <remarks>A handle is the index of a variable, stored as one int32 in a tensor of type <see cref="DType.Resource"/>.</remarks>
public sealed class ResourceTable
{
    private readonly List<Entry> _entries = [];
    private readonly HashSet<string> _initialized = [];

    /// <summary>The handle of the variable of this name; the same for every call with these names.</summary>
    public int Handle(string container, string sharedName)
    {
        int index = _entries.FindIndex(e => e.Container == container && e.Name == sharedName);
        if (index < 0)
        {
            index = _entries.Count;
            _entries.Add(new(container, sharedName));
        }

        return index;
    }

    /// <summary>Gives a variable its size, if it has none yet. Every byte starts as the low byte of the zero point.</summary>
    /// <exception cref="OpRuleException">The handle is not one of this table.</exception>
    public void Declare(int handle, TensorType type)
    {
        Entry entry = (uint)handle < (uint)_entries.Count
            ? _entries[handle]
            : throw new OpRuleException("a handle belongs to no resource variable") { Found = $"{handle}" };
        if (entry.Bytes is null)
        {
            entry.Fill = type.Quant is null ? (byte)0 : unchecked((byte)type.Quant.ZeroPoint);
            entry.Bytes = new byte[checked((int)type.ByteCount)];
            entry.Bytes.AsSpan().Fill(entry.Fill);
        }
    }

    /// <summary>Content of a variable.</summary>
    /// <exception cref="OpRuleException">The handle is not one of this table, or nothing was declared or assigned.</exception>
    public Span<byte> Content(int handle) => (uint)handle < (uint)_entries.Count && _entries[handle].Bytes is { } bytes
        ? bytes
        : throw new OpRuleException("a resource variable is used before it has a size");

    /// <summary>True when the graph that initialises variables has run since the session was made or reset.</summary>
    public bool IsInitialized(string graph) => _initialized.Contains(graph);

    public void MarkInitialized(string graph) => _initialized.Add(graph);

    /// <summary>Puts every variable back to its initial content; graphs that initialise variables will run again.</summary>
    public void Reset()
    {
        _initialized.Clear();
        foreach (Entry entry in _entries)
        {
            entry.Bytes?.AsSpan().Fill(entry.Fill);
        }
    }

    private sealed class Entry(string container, string name)
    {
        public string Container { get; } = container;

        public string Name { get; } = name;

        public byte[]? Bytes { get; set; }

        public byte Fill { get; set; }
    }
}
