using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;

namespace Optc.Runtime;

/// <summary>Prepares a graph: types every value, computes what is constant, plans memory, prepares kernels.</summary>
internal sealed class GraphCompiler(Session session, Graph graph)
{
    /// <summary>Message of a tensor that no array can hold.</summary>
    public const string TooLarge = "an operand or result is larger than can be addressed";

    public const string AddressableSize = "less than 2^31 elements";

    /// <summary>Message of grids whose kernels would need an infinite factor.</summary>
    public const string NoFiniteRatio = "the scales of the operands have no finite ratio";

    private readonly Dictionary<Value, ValueBuffer> _buffers = [];
    private readonly List<ValueBuffer> _variables = [];
    private readonly List<Step> _steps = [];
    private readonly List<(NodeContext Context, int Step)> _contexts = [];
    private readonly Dictionary<Value, Value> _aliases = [];
    private readonly List<(int Step, Node Node)> _live = [];

    /// <exception cref="DiagnosticException">Nodes cannot be executed (all are listed), or memory passes the limit.</exception>
    public GraphProgram Compile()
    {
        RefuseWhatCannotRun();
        foreach (Value input in graph.Inputs)
        {
            Shape shape = Concrete(input.Type.Shape);
            _buffers.TryAdd(input, new() { Type = input.Type with { Shape = shape } });
        }

        foreach (Node node in graph.Nodes)
        {
            try
            {
                Add(node);
            }
            catch (OpRuleException problem)
            {
                throw Refuse(node, problem.Message, problem.Found, problem.Expected);
            }
            catch (ArgumentOutOfRangeException problem) when (problem.ParamName == FixedPoint.FactorName)
            {
                throw Refuse(node, NoFiniteRatio, $"{problem.ActualValue}", "finite scales above 0");
            }
            catch (OverflowException)
            {
                throw Refuse(node, TooLarge, found: null, AddressableSize);
            }
        }

        foreach (Value output in graph.Outputs)
        {
            BufferOf(output);
        }

        long arena = PlanMemory();
        return new(session, graph, _steps, _buffers, _variables, arena);
    }

    /// <summary>State of a fresh model: bytes 0, except that int8 state holds its zero point.</summary>
    /// <remarks>Source: variable tensors of TFLite Micro, as <c>ResetVariableTensors</c> leaves them.</remarks>
    public static void Initialise(ValueBuffer variable)
    {
        bool quantized = variable.Type is { DType: DType.I8, Quant: not null };
        variable.Write().Fill(quantized ? unchecked((byte)variable.Type.Quant!.ZeroPoint) : (byte)0);
    }

    private DiagnosticException Refuse(Node node, string message, string? found, string? expected) =>
        new(new Diagnostic(DiagnosticId.OperandType, message)
        {
            At = [$"graph '{graph.Name}'", node.ToString()],
            Found = found,
            Expected = expected,
        });

    private void RefuseWhatCannotRun()
    {
        ImmutableArray<Diagnostic> refused =
        [
            .. graph.Nodes.Where(n => n.Op is not IExecutable).Select(n => new Diagnostic(
                DiagnosticId.NotExecutable, $"the operator '{n.Op.Title}' cannot be executed")
            {
                At = [$"graph '{graph.Name}'", n.ToString()],
                Found = n.Op is Ops.OpaqueTfLite { Reason.Length: > 0 } opaque ? opaque.Reason : null,
                Hint = "'optc inspect' lists the operators of a model; docs/ops.md those that optc executes",
            }),
        ];
        if (!refused.IsEmpty)
        {
            throw new DiagnosticException(refused);
        }
    }

    private Shape Concrete(Shape shape)
    {
        if (!shape.HasRank)
        {
            return Shape.Scalar;
        }

        int[] dims = [.. shape.Dims];
        for (int i = 0; i < dims.Length; i++)
        {
            dims[i] = dims[i] >= 0 ? dims[i] : i == 0 ? session.Options.Batch : 1;
        }

        return Shape.Create(dims);
    }

    private ValueBuffer BufferOf(Value value)
    {
        if (_buffers.TryGetValue(value, out ValueBuffer? buffer))
        {
            return buffer;
        }

        if (value.Constant is { } constant)
        {
            session.Charge(constant.Sparse is null ? 0 : constant.DType.ByteCount(constant.Shape.ElementCount));
            TensorData dense = constant.ToDense();
            buffer = new() { Type = value.Type with { Shape = dense.Shape }, Constant = dense };
        }
        else if (value.IsVariable)
        {
            buffer = new() { Type = value.Type with { Shape = Concrete(value.Type.Shape) }, IsVariable = true };
            long size = buffer.Type.ByteCount;
            session.Charge(size);
            buffer.Bind(new Arena(size), 0, size);
            Initialise(buffer);
            _variables.Add(buffer);
        }
        else
        {
            throw new OpRuleException($"the value '{value.Name}' is used before it is computed");
        }

        _buffers.Add(value, buffer);
        return buffer;
    }

    private void Add(Node node)
    {
        ValueBuffer?[] inputs = [.. node.Inputs.Select(v => v is null ? null : BufferOf(v))];
        bool dynamic = inputs.Any(b => b is { IsDynamic: true });
        ImmutableArray<TensorType> types = dynamic
            ? [.. node.Outputs.Select(o => o.Type with { Shape = Shape.Unranked })]
            : node.Op.InferTypes(new(
                [.. inputs.Select(b => b?.Type)],
                [.. inputs.Select(b => b?.Constant)],
                [.. node.Outputs.Select(o => o.Type)],
                session.FindGraph));
        CheckTypes(node, types);
        dynamic |= types.Any(t => !t.Shape.IsKnown);
        if (!dynamic && TryCompute(node, inputs, types))
        {
            return;
        }

        ValueBuffer[] outputs = new ValueBuffer[types.Length];
        for (int i = 0; i < outputs.Length; i++)
        {
            outputs[i] = new()
            {
                Type = types[i] with { Quant = node.Outputs[i].Type.Quant },
                IsDynamic = !types[i].Shape.IsKnown,
            };
            _buffers.Add(node.Outputs[i], outputs[i]);
        }

        if (dynamic)
        {
            _live.Add((_steps.Count, node));
            _steps.Add(new DynamicStep(node, session, inputs, outputs));
            return;
        }

        if (node.Op is IReshaping && inputs[0] is { Constant: null, IsVariable: false } && !graph.IsOutput(node.Outputs[0]))
        {
            _aliases.Add(node.Outputs[0], Root(node.Inputs[0]!));
            _live.Add((_steps.Count, node));
            _steps.Add(new StaticStep(node, static () => { }));
            return;
        }

        if (Overwrites(node, inputs, outputs))
        {
            _aliases.Add(node.Outputs[0], Root(node.Inputs[0]!));
        }

        RequireAddressable([.. inputs.OfType<ValueBuffer>(), .. outputs]);
        NodeContext context = new(session, inputs, outputs, immediate: false);
        Kernel kernel = ((IExecutable)node.Op).Prepare(context);
        _contexts.Add((context, _steps.Count));
        _live.Add((_steps.Count, node));
        _steps.Add(new StaticStep(node, kernel));
    }

    /// <summary>True when the first result takes the memory of the first operand, of which this node is the only reader.</summary>
    private bool Overwrites(Node node, ValueBuffer?[] inputs, ValueBuffer[] outputs)
    {
        if (node.Op is not IOverwriting
            || session.Options.KeepIntermediates
            || inputs[0] is not { Constant: null, IsVariable: false } operand
            || operand.Type.DType != outputs[0].Type.DType
            || !operand.Type.Shape.Equals(outputs[0].Type.Shape)
            || graph.IsOutput(node.Outputs[0]))
        {
            return false;
        }

        Value value = node.Inputs[0]!;
        while (value.UseCount == 1 && value.Producer is not null && !graph.IsOutput(value))
        {
            if (!_aliases.ContainsKey(value))
            {
                return true;
            }

            value = value.Producer.Inputs[0]!;
        }

        return false;
    }

    private static void RequireAddressable(ReadOnlySpan<ValueBuffer> buffers)
    {
        foreach (ValueBuffer buffer in buffers)
        {
            if (buffer.Type.Shape.IsKnown && buffer.Type.ElementCount > int.MaxValue)
            {
                throw new OpRuleException(TooLarge) { Found = buffer.Type.ToString(), Expected = AddressableSize };
            }
        }
    }

    private static void CheckTypes(Node node, ImmutableArray<TensorType> types)
    {
        if (types.Length != node.Outputs.Length)
        {
            throw new OpRuleException("the operator has another number of results than the graph gives it")
            {
                Found = $"{node.Outputs.Length}",
                Expected = $"{types.Length}",
            };
        }

        for (int i = 0; i < types.Length; i++)
        {
            if (types[i].DType != node.Outputs[i].Type.DType)
            {
                throw new OpRuleException($"result {i} has another element type than the operator computes")
                {
                    Found = node.Outputs[i].Type.DType.Name,
                    Expected = types[i].DType.Name,
                };
            }
        }
    }

    private bool TryCompute(Node node, ValueBuffer?[] inputs, ImmutableArray<TensorType> types)
    {
        bool constant = inputs.Length > 0 && Array.TrueForAll(inputs, b => b is null or { Constant: not null });
        if (node.Op.Schema.HasSideEffects
            || !(constant || node.Op is IDependsOnShapesOnly)
            || types.Any(t => t.DType is DType.Resource or DType.Variant or DType.String))
        {
            return false;
        }

        foreach ((Value output, TensorData content) in node.Outputs.Zip(Compute(node, inputs, types)))
        {
            _buffers.Add(output, new() { Type = new(content.DType, content.Shape, output.Type.Quant), Constant = content });
        }

        return true;
    }

    private ImmutableArray<TensorData> Compute(Node node, ValueBuffer?[] inputs, ImmutableArray<TensorType> types)
    {
        ValueBuffer[] outputs = new ValueBuffer[types.Length];
        for (int i = 0; i < outputs.Length; i++)
        {
            long size = types[i].ByteCount;
            session.Charge(size);
            outputs[i] = new() { Type = types[i] with { Quant = node.Outputs[i].Type.Quant } };
            outputs[i].Bind(new Arena(size), 0, size);
        }

        // Operands that only lend their shape have no memory yet and are not asked for it.
        NodeContext context = new(session, inputs, outputs, immediate: node.Op is not IDependsOnShapesOnly);
        ((IExecutable)node.Op).Prepare(context)();
        return [.. outputs.Select(o => o.Snapshot())];
    }

    private Value Root(Value value) => _aliases.TryGetValue(value, out Value? root) ? root : value;

    private long PlanMemory()
    {
        int last = _steps.Count;
        Dictionary<Value, (int First, int Last)> lives = [];
        void Touch(Value value, int step)
        {
            Value root = Root(value);
            ValueBuffer buffer = _buffers[root];
            if (buffer is { Constant: null, IsVariable: false, IsDynamic: false })
            {
                (int first, int end) = lives.GetValueOrDefault(root, (step, step));
                lives[root] = session.Options.KeepIntermediates
                    ? (Math.Min(first, step), last)
                    : (Math.Min(first, step), Math.Max(end, step));
            }
        }

        foreach (Value input in graph.Inputs)
        {
            Touch(input, 0);
            Touch(input, last);
        }

        foreach ((int step, Node node) in _live)
        {
            foreach (Value? input in node.Inputs)
            {
                if (input is not null)
                {
                    Touch(input, step);
                }
            }

            foreach (Value output in node.Outputs)
            {
                Touch(output, step);
            }
        }

        foreach (Value output in graph.Outputs)
        {
            Touch(output, last);
        }

        List<ArenaRequest> requests = [];
        List<Action<Arena, long>> bindings = [];
        foreach ((Value value, (int first, int end)) in lives)
        {
            ValueBuffer buffer = _buffers[value];
            long size = buffer.Type.ByteCount;
            requests.Add(new(size, first, end));
            bindings.Add((arena, offset) => buffer.Bind(arena, offset, size));
        }

        foreach ((NodeContext context, int step) in _contexts)
        {
            foreach (ArenaScratch scratch in context.Reserved)
            {
                requests.Add(new(scratch.Size, step, step));
                bindings.Add(scratch.Bind);
            }
        }

        long[] offsets = ArenaPlanner.Plan(requests, Arena.Alignment, out long total);
        session.Charge(total);
        Arena memory = new(total);
        for (int i = 0; i < offsets.Length; i++)
        {
            bindings[i](memory, offsets[i]);
        }

        foreach ((Value alias, Value root) in _aliases)
        {
            ValueBuffer buffer = _buffers[alias];
            buffer.Bind(memory, offsets[IndexOf(lives, root)], buffer.Type.ByteCount);
        }

        return total;
    }

    private static int IndexOf(Dictionary<Value, (int First, int Last)> lives, Value value)
    {
        int index = 0;
        foreach (Value key in lives.Keys)
        {
            if (key == value)
            {
                return index;
            }

            index++;
        }

        throw new InvalidOperationException("A value without memory has an alias.");
    }
}
