using Optc.Ir;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;

namespace Optc.Runtime;

/// <summary>The context of one node of a prepared graph.</summary>
/// <param name="immediate">
/// True when the kernel runs at once on present values: all inputs then count as constants, and scratch is allocated
/// as it is asked for.
/// </param>
internal sealed class NodeContext(Session session, ValueBuffer?[] inputs, ValueBuffer[] outputs, bool immediate) : KernelContext
{
    private readonly List<ArenaScratch> _scratch = [];

    public override int InputCount => inputs.Length;

    public override int OutputCount => outputs.Length;

    public override RoundingProfile Rounding => session.Options.Rounding;

    public override Workers Workers => session.Workers;

    public override ResourceTable Resources => session.Resources;

    public IReadOnlyList<ArenaScratch> Reserved => _scratch;

    public override TensorType Input(int index) => Operand(index).Type;

    public override TensorType Output(int index) => outputs[index].Type;

    public override bool Has(int index) => index < inputs.Length && inputs[index] is not null;

    public override TensorData? Constant(int index) =>
        !Has(index) ? null
        : immediate && !Operand(index).IsVariable ? Operand(index).Snapshot()
        : Operand(index).Constant;

    public override ReadOnlySpan<byte> InputBytes(int index) => Operand(index).Read();

    public override Span<byte> OutputBytes(int index) => outputs[index].Write();

    public override Span<byte> State(int index) => Operand(index).IsVariable
        ? Operand(index).Write()
        : throw new OpRuleException($"operand {index} must be a variable tensor");

    public override Scratch Reserve(long bytes, bool perWorker = false)
    {
        long size = (bytes + Arena.Alignment - 1) / Arena.Alignment * Arena.Alignment;
        ArenaScratch scratch = new(size, perWorker ? Workers.Count : 1);
        _scratch.Add(scratch);
        if (immediate)
        {
            session.Charge(scratch.Size);
            scratch.Bind(new Arena(scratch.Size), 0);
        }

        return scratch;
    }

    public override Subroutine Subgraph(string name) => session.Subroutine(name);

    private ValueBuffer Operand(int index) => Has(index)
        ? inputs[index]!
        : throw new OpRuleException($"operand {index} is missing") { Found = $"{inputs.Length} operands" };
}

/// <summary>Scratch in an arena, one piece for each worker.</summary>
internal sealed class ArenaScratch(long pieceSize, int pieces) : Scratch
{
    private Arena? _arena;
    private long _offset;

    public long Size => pieceSize * pieces;

    public void Bind(Arena arena, long offset) => (_arena, _offset) = (arena, offset);

    public override Span<byte> Bytes(int worker = 0) => _arena!.Slice(_offset + (worker * pieceSize), checked((int)pieceSize));
}
