using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Optc.Data;
using Optc.Ir;
using Optc.Passes;
using Optc.Passes.Quantize;
using Optc.Runtime;

namespace Optc.Report.Compression;

/// <summary>
/// Compares what training takes for the integer model with that model, layer by layer: every float layer gets the real values of the
/// integers that the integer layer got, and its result is rounded to the grid of the result.
/// </summary>
/// <remarks>
/// Layers are compared one at a time, so that the differences of one do not reach the next. One step of the result's grid is what may be between
/// the two: integer kernels round products of scales and halves their own way; activations by table may be two steps apart.
/// </remarks>
public static class LayerAgreements
{
    private const double Steps = 1;
    private const double StepsOfTables = 2;
    private const double Slack = 1e-3;

    /// <summary>One entry for each integer layer that has a float counterpart.</summary>
    /// <param name="source">The float model that was quantized.</param>
    /// <param name="quantized">What became of it.</param>
    /// <param name="samples">How many of the samples, evenly spaced.</param>
    /// <exception cref="DiagnosticException">A model cannot be executed, or the data do not fit.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static ImmutableArray<LayerAgreement> Measure(Model source, Model quantized, Dataset data, int samples = 32, WorkOptions? options = null)
    {
        WorkOptions work = options ?? WorkOptions.Default;
        Module prepared = Pipelines.PrepareForQuantization.Run(source.Module, work.ForPasses);
        ILookup<string, Node> floats = prepared.Main.Nodes.ToLookup(n => n.Name);
        List<Shadow> shadows = [];
        try
        {
            foreach (Node node in quantized.Module.Main.Nodes)
            {
                Node? real = floats[node.Name].FirstOrDefault(n => n.Op.GetType() == node.Op.GetType() && n.Inputs.Length == node.Inputs.Length && n.Outputs.Length == 1);
                if (real is not null && node.Outputs is [{ Type: { DType: DType.I8 or DType.I16, Quant: { IsPerAxis: false } } }] && Shadow.Of(node, real, prepared, work) is { } shadow)
                {
                    shadows.Add(shadow);
                }
            }

            Run(quantized.Module, data, samples, work, shadows.ToDictionary(s => s.Node));
            return [.. shadows.Select(s => s.Result)];
        }
        finally
        {
            shadows.ForEach(s => s.Dispose());
        }
    }

    private static void Run(Module module, Dataset data, int samples, WorkOptions work, Dictionary<Node, Shadow> shadows)
    {
        using Interpreter interpreter = new(module, module.Main, work.ForOneThread);
        SampleReader reader = new(module, interpreter);
        interpreter.NodeDone = node => shadows.GetValueOrDefault(node)?.Compare(interpreter);
        ICalibrationSource source = data.For(module);
        int count = source.Count ?? samples;
        int taken = 0;
        foreach (CalibrationSample sample in source.Samples())
        {
            if (sample.Index != (long)taken * count / Math.Min(samples, count))
            {
                continue;
            }

            work.Cancellation.ThrowIfCancellationRequested();
            interpreter.Reset();
            foreach (ImmutableArray<CalibrationTensor> step in sample.Steps)
            {
                reader.Fill(sample.Index, step);
                interpreter.Run(work.Cancellation);
            }

            if (++taken == Math.Min(samples, count))
            {
                return;
            }
        }
    }

    /// <summary>A float layer beside an integer one.</summary>
    private sealed class Shadow : IDisposable
    {
        private readonly Interpreter _interpreter;
        private readonly ImmutableArray<Value> _inputs;
        private Difference _sum = Difference.None;

        private Shadow(Node node, Module module, ImmutableArray<Value> inputs, WorkOptions work)
        {
            (Node, _inputs) = (node, inputs);
            _interpreter = new(module, module.Main, work.ForOneThread);
        }

        public Node Node { get; }

        public LayerAgreement Result
        {
            get
            {
                TensorType type = Node.Outputs[0].Type;
                bool isTable = Node.Op is Ops.Softmax or Ops.Logistic or Ops.Tanh or Ops.HardSwish or Ops.LogSoftmax;
                DifferenceEntry entry = _sum.ToEntry(Node.Outputs[0].Name, Node.Op.Title, type with { DType = DType.F32, Quant = null }, type);
                return new(entry.Name, entry.MaxAbs, entry.Sqnr, ((isTable ? StepsOfTables : Steps) + Slack) * type.Scale);
            }
        }

        /// <summary>The float layer with the weights of the integer one.</summary>
        /// <returns><see langword="null"/> for a layer whose operands are not the same kinds in both.</returns>
        public static Shadow? Of(Node node, Node real, Module prepared, WorkOptions work)
        {
            GraphBuilder builder = new("layer", prepared.FindGraph);
            List<Value> inputs = [];
            List<Value?> operands = [];
            for (int i = 0; i < node.Inputs.Length; i++)
            {
                (Value? integer, Value? original) = (node.Inputs[i], real.Inputs[i]);
                switch (integer, original)
                {
                    case (null, null):
                        operands.Add(null);
                        break;
                    case ({ Constant: { DType: DType.I8 or DType.I16 } codes, Type.Quant: { } quant }, _):
                        operands.Add(GraphBuilder.Constant(TensorData.FromFloats(codes.Shape, AffineGrid.Dequantize(codes, quant)), integer.Name));
                        break;
                    case ({ Constant: not null }, { Constant: { } constant }):
                        operands.Add(GraphBuilder.Constant(constant, original.Name));
                        break;
                    case ({ Constant: null, IsVariable: false }, { Constant: null }):
                        inputs.Add(integer);
                        operands.Add(builder.Input($"x{i}", new(original.Type.DType, integer.Type.Shape)));
                        break;
                    default:
                        return null;
                }
            }

            try
            {
                builder.Output(builder.Add(real.Op, [.. operands], node.Name).Output);
                return new(node, GraphBuilder.Module([builder.Build()]), [.. inputs], work);
            }
            catch (OpRuleException)
            {
                return null;
            }
        }

        public void Compare(Interpreter integers)
        {
            for (int i = 0; i < _inputs.Length; i++)
            {
                ReadOnlySpan<byte> content = integers.Bytes(_inputs[i]);
                if (_interpreter.InputType(i).DType is DType.F32)
                {
                    RealValues.Of(_inputs[i].Type, content).CopyTo(_interpreter.Input<float>(i));
                }
                else
                {
                    content.CopyTo(_interpreter.Input(i));
                }
            }

            _interpreter.Run();
            TensorType type = Node.Outputs[0].Type;
            ValueRange range = AffineGrid.RangeOf(type.DType, type.Quant!);
            float[] rounded = _interpreter.Output<float>(0).ToArray();
            for (int i = 0; i < rounded.Length; i++)
            {
                double steps = Math.Round(Math.Clamp(rounded[i], range.Low, range.High) / type.Scale, MidpointRounding.AwayFromZero);
                rounded[i] = (float)(steps * type.Scale);
            }

            TensorType real = new(DType.F32, integers.TypeOf(Node.Outputs[0]).Shape);
            _sum = _sum.Plus(Difference.Of(real, MemoryMarshal.AsBytes(rounded.AsSpan()), integers.TypeOf(Node.Outputs[0]), integers.Bytes(Node.Outputs[0]), vectors: false));
        }

        public void Dispose() => _interpreter.Dispose();
    }
}
