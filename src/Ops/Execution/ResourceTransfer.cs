using Optc.Ir;

namespace Optc.Ops.Execution;

/// <summary>Copies between tensors and resource variables, whose sizes can be compared only while running.</summary>
internal static class ResourceTransfer
{
    /// <exception cref="OpRuleException">The sizes differ.</exception>
    public static void Copy(ReadOnlySpan<byte> from, Span<byte> to)
    {
        if (from.Length != to.Length)
        {
            throw new OpRuleException("a resource variable has another size than the tensor that is copied")
            {
                Found = $"{from.Length} bytes to be copied to {to.Length}",
                Expected = "the size of the tensor that was assigned first",
            };
        }

        from.CopyTo(to);
    }
}
