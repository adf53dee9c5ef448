using Optc.Ir;

namespace Optc.Tests.Architecture;

/// <summary>
/// For each op a graph whose element type is left open, to find out which types its kernels take. Placeholders: <c>$T</c>
/// the element type; <c>$W</c> and <c>$B</c> that of weights and bias beside it; and quantizations where the type has one:
/// <c>$Q</c> any, <c>$V</c> of weights, <c>$P</c> of a probability, <c>$N</c> of a value from -1 to 1, <c>$L</c> of a
/// logarithm of a probability.
/// </summary>
internal static class KernelSamples
{
    /// <summary>Types are taken if the interpreter prepares this.</summary>
    public static IReadOnlyDictionary<string, string> ByOp { get; } = new Dictionary<string, string>
    {
        ["abs"] = Unary("abs"),
        ["activation_gradient"] = Graph("%a: $T[2, 3], %b: $T[2, 3]", "%y: $T[2, 3] = activation_gradient(%a, %b) { activation: Relu }"),
        ["adam_update"] = Graph(
            "%w: $T[2], %g: $T[2], %r: $T[], %s: $T[]",
            """
            %m: resource[1] = var_handle() { container: "", shared_name: "m" }
            %v: resource[1] = var_handle() { container: "", shared_name: "v" }
            %y: $T[2] = adam_update(%w, %g, %r, %s, %m, %v) { beta1: 0.9, beta2: 0.999, epsilon: 0.00000001 }
            """),
        ["add"] = Binary("add", "{ activation: None, pot_scale_int16: false }"),
        ["add_n"] = Binary("add_n").Replace("%b: $T[3]", "%b: $T[2, 3]", StringComparison.Ordinal),
        ["arg_max"] = Graph("%x: $T[2, 3]$Q", "@axis: i32[] = [1] %y: i32[2] = arg_max(%x, @axis) { index_type: I32 }"),
        ["arg_min"] = Graph("%x: $T[2, 3]$Q", "@axis: i32[] = [1] %y: i32[2] = arg_min(%x, @axis) { index_type: I32 }"),
        ["assign_codes"] = Graph(
            "%u: $T[2, 3], %v: $T[1, 4], %s: $T[1], %p: $T[1, 4], %k: $T[2, 3]",
            "%y: $T[2, 3] = assign_codes(%u, %v, %s, %p, %k) { axis: 0, largest: 127 }"),
        ["assign_variable"] = Resource,
        ["average_pool_2d"] = Pool("average_pool_2d"),
        ["average_pool_2d_gradient"] = Graph(
            "%x: $T[1, 2, 2, 2]",
            "%y: $T[1, 4, 4, 2] = average_pool_2d_gradient(%x) { height: 4, width: 4, filter_h: 2, filter_w: 2, stride_h: 2, stride_w: 2, padding: Valid }"),
        ["batch_matmul"] = Graph(
            "%a: $T[1, 2, 3]$Q, %b: $T[1, 3, 2]$Q",
            "%y: $T[1, 2, 2]$Q = batch_matmul(%a, %b) { adj_x: false, adj_y: false, asymmetric_inputs: false }"),
        ["batch_normalization"] = Graph(
            "%x: $T[2, 3], %g: $T[3], %b: $T[3]", "%y: $T[2, 3], %m: $T[3], %v: $T[3] = batch_normalization(%x, %g, %b) { epsilon: 0.001, activation: Relu }"),
        ["batch_normalization_gradient"] = Graph(
            "%d: $T[2, 3], %x: $T[2, 3], %g: $T[3], %b: $T[3], %m: $T[3], %v: $T[3]",
            "%y: $T[2, 3], %e: $T[3], %f: $T[3] = batch_normalization_gradient(%d, %x, %g, %b, %m, %v) { epsilon: 0.001, activation: Relu }"),
        ["batch_to_space_nd"] = Graph(
            "%x: $T[4, 1, 2, 1]$Q",
            "@b: i32[2] = [2, 2] @c: i32[2, 2] = [0, 0, 0, 0] %y: $T[1, 2, 4, 1]$Q = batch_to_space_nd(%x, @b, @c)"),
        ["broadcast_args"] = Graph("%a: $T[2], %b: $T[1]", "%y: $T[2] = broadcast_args(%a, %b)"),
        ["broadcast_to"] = Graph("%x: $T[1, 3]$Q", "@s: i32[2] = [2, 3] %y: $T[2, 3]$Q = broadcast_to(%x, @s)"),
        ["call_once"] = """graph main(%x: $T[2]$Q) -> (%x) { call_once() { graph: "init" } } graph init() -> () { }""",
        ["cast"] = Graph("%x: $T[2, 3]$Q", """%y: f32[2, 3] = cast(%x) { to: "declared" }"""),
        ["ceil"] = Unary("ceil"),
        ["codebook_weight"] = Graph(
            "%u: $T[2, 3], %i: $T[2, 3], %v: $T[1, 4], %s: $T[1], %l: $T[2]",
            "%y: $T[2, 3] = codebook_weight(%u, %i, %v, %s, %l) { axis: 0, largest: 127, mean: false }"),
        ["codebook_weight_gradient"] = Graph(
            "%d: $T[2, 3], %i: $T[2, 3], %v: $T[1, 4], %s: $T[1], %l: $T[2]",
            "%y: $T[2, 3], %e: $T[1, 4], %f: $T[2] = codebook_weight_gradient(%d, %i, %v, %s, %l) { axis: 0, largest: 127, mean: false }"),
        ["concatenation"] = Graph("%a: $T[1, 2]$Q, %b: $T[1, 2]$Q", "%y: $T[2, 2]$Q = concatenation(%a, %b) { axis: 0 }"),
        ["conv_2d"] = Convolution(
            "$W[2, 1, 1, 1]$V = [1, 2]",
            """conv_2d(%x, @w, @b) { stride_h: 1, stride_w: 1, padding: Valid, activation: None, dilation_h: 1, dilation_w: 1, bias_type: "default" }"""),
        ["conv_2d_input_gradient"] = Graph(
            "%x: $T[1, 2, 2, 1], %w: $T[1, 1, 1, 1]",
            "%y: $T[1, 2, 2, 1] = conv_2d_input_gradient(%x, %w) { height: 2, width: 2, channels: 1, stride_h: 1, stride_w: 1, padding: Valid, dilation_h: 1, dilation_w: 1 }"),
        ["conv_2d_weight_gradient"] = Graph(
            "%x: $T[1, 2, 2, 1], %d: $T[1, 2, 2, 1]",
            "%y: $T[1, 1, 1, 1] = conv_2d_weight_gradient(%x, %d) { kernel_h: 1, kernel_w: 1, stride_h: 1, stride_w: 1, padding: Valid, dilation_h: 1, dilation_w: 1, groups: 1 }"),
        ["cos"] = Unary("cos"),
        ["cumsum"] = Graph("%x: $T[2, 3]$Q", "@axis: i32[] = [1] %y: $T[2, 3]$Q = cumsum(%x, @axis) { exclusive: false, reverse: false }"),
        ["densify"] = Unary("densify"),
        ["depth_to_space"] = Graph("%x: $T[1, 1, 2, 4]$Q", "%y: $T[1, 2, 4, 1]$Q = depth_to_space(%x) { block: 2 }"),
        ["depthwise_conv_2d"] = Convolution(
            "$W[1, 1, 1, 2]$V = [1, 2]",
            "depthwise_conv_2d(%x, @w, @b) { stride_h: 1, stride_w: 1, padding: Valid, depth_multiplier: 2, activation: None, dilation_h: 1, dilation_w: 1 }"),
        ["depthwise_conv_2d_input_gradient"] = Graph(
            "%x: $T[1, 2, 2, 2], %w: $T[1, 1, 1, 2]",
            "%y: $T[1, 2, 2, 1] = depthwise_conv_2d_input_gradient(%x, %w) { height: 2, width: 2, channels: 1, stride_h: 1, stride_w: 1, padding: Valid, dilation_h: 1, dilation_w: 1 }"),
        ["depthwise_conv_2d_weight_gradient"] = Graph(
            "%x: $T[1, 2, 2, 1], %d: $T[1, 2, 2, 2]",
            "%y: $T[1, 1, 1, 2] = depthwise_conv_2d_weight_gradient(%x, %d) { kernel_h: 1, kernel_w: 1, stride_h: 1, stride_w: 1, padding: Valid, dilation_h: 1, dilation_w: 1 }"),
        ["dequantize"] = Graph("%x: $T[2, 3]$Q", "%y: f32[2, 3] = dequantize(%x)"),
        ["div"] = Binary("div", "{ activation: None }"),
        ["dropout"] = Graph("%x: $T[2, 3], %s: i64[]", "%y: $T[2, 3] = dropout(%x, %s) { rate: 0.5, stream: 0 }"),
        ["dynamic_update_slice"] = Graph(
            "%x: $T[2, 3]$Q, %u: $T[1, 2]$Q, %s: i32[2]", "%y: $T[2, 3]$Q = dynamic_update_slice(%x, %u, %s)"),
        ["elu"] = Unary("elu"),
        ["embedding_lookup"] = Graph("%i: i32[2], %x: $T[3, 4]$Q", "%y: $T[2, 4]$Q = embedding_lookup(%i, %x)"),
        ["equal"] = Binary("equal", result: "bool[2, 3]"),
        ["exp"] = Unary("exp"),
        ["expand_dims"] = Graph("%x: $T[2, 3]$Q", "@axis: i32[] = [0] %y: $T[1, 2, 3]$Q = expand_dims(%x, @axis)"),
        ["fake_quant"] = Unary("fake_quant", "{ min: -1.0, max: 1.0, bits: 8, narrow_range: false }"),
        ["fake_quant_weights"] = Unary("fake_quant_weights", "{ bits: 8, axis: 0 }"),
        ["fill"] = Graph("%v: $T[]$Q", "@d: i32[2] = [2, 3] %y: $T[2, 3]$Q = fill(@d, %v)"),
        ["floor"] = Unary("floor"),
        ["floor_div"] = Graph("%a: $T[2, 3], %b: $T[3]", "%y: $T[2, 3] = floor_div(%a, %b)"),
        ["floor_mod"] = Graph("%a: $T[2, 3], %b: $T[3]", "%y: $T[2, 3] = floor_mod(%a, %b)"),
        ["fully_connected"] = Graph(
            "%x: $T[2, 2]$Q",
            """@w: $W[1, 2]$V = [1, 2] @b: $B[1] = [0] %y: $T[2, 1]$Q = fully_connected(%x, @w, @b) { activation: None, keep_num_dims: false, asymmetric_inputs: false, bias_type: "default" }"""),
        ["gather"] = Graph("%x: $T[2, 3]$Q, %i: i32[2]", "%y: $T[2, 3]$Q = gather(%x, %i) { axis: 0, batch_dims: 0 }"),
        ["gather_nd"] = Graph("%x: $T[2, 3]$Q, %i: i32[4, 1]", "%y: $T[4, 3]$Q = gather_nd(%x, %i)"),
        ["gelu"] = Unary("gelu", "{ approximate: false }"),
        ["gelu_gradient"] = Graph("%a: $T[2, 3], %b: $T[2, 3]", "%y: $T[2, 3] = gelu_gradient(%a, %b) { approximate: false }"),
        ["greater"] = Binary("greater", result: "bool[2, 3]"),
        ["greater_equal"] = Binary("greater_equal", result: "bool[2, 3]"),
        ["hard_swish"] = Unary("hard_swish"),
        ["if"] = """
            graph main(%c: bool[1], %x: $T[2]$Q) -> (%y) { %y: $T[2]$Q = if(%c, %x) { then: "a", else: "b" } }
            graph a(%x: $T[2]$Q) -> (%x) { }
            graph b(%x: $T[2]$Q) -> (%x) { }
            """,
        ["l2_normalization"] = Unary("l2_normalization", result: "$T[2, 3]$N"),
        ["l2_pool_2d"] = Pool("l2_pool_2d"),
        ["leaky_relu"] = Unary("leaky_relu", "{ alpha: 0.5 }"),
        ["learned_fake_quant"] = Graph("%x: $T[2, 3], %s: $T[], %z: $T[]", "%y: $T[2, 3] = learned_fake_quant(%x, %s, %z) { low: -128, high: 127 }"),
        ["learned_fake_quant_gradient"] = Graph(
            "%d: $T[2, 3], %x: $T[2, 3], %s: $T[], %z: $T[]",
            "%y: $T[2, 3], %e: $T[] = learned_fake_quant_gradient(%d, %x, %s, %z) { low: -128, high: 127 }"),
        ["less"] = Binary("less", result: "bool[2, 3]"),
        ["less_equal"] = Binary("less_equal", result: "bool[2, 3]"),
        ["log"] = Unary("log"),
        ["log_softmax"] = Unary("log_softmax", result: "$T[2, 3]$L"),
        ["logical_and"] = Binary("logical_and"),
        ["logical_not"] = Unary("logical_not"),
        ["logical_or"] = Binary("logical_or"),
        ["logistic"] = Unary("logistic", result: "$T[2, 3]$P"),
        ["max_pool_2d"] = Pool("max_pool_2d"),
        ["max_pool_2d_gradient"] = Graph(
            "%x: $T[1, 4, 4, 2], %d: $T[1, 2, 2, 2]",
            "%y: $T[1, 4, 4, 2] = max_pool_2d_gradient(%x, %d) { filter_h: 2, filter_w: 2, stride_h: 2, stride_w: 2, padding: Valid }"),
        ["maximum"] = Binary("maximum"),
        ["mean"] = Reduce("mean"),
        ["minimum"] = Binary("minimum"),
        ["mirror_pad"] = Graph(
            "%x: $T[2, 3]$Q", "@p: i32[2, 2] = [0, 0, 1, 1] %y: $T[2, 5]$Q = mirror_pad(%x, @p) { mode: Reflect }"),
        ["mul"] = Binary("mul", "{ activation: None }"),
        ["neg"] = Unary("neg"),
        ["normalize_channels"] = Graph(
            "%x: $T[2, 3], %g: $T[3], %b: $T[3], %m: $T[3], %v: $T[3]",
            "%y: $T[2, 3] = normalize_channels(%x, %g, %b, %m, %v) { epsilon: 0.001, activation: Relu }"),
        ["normalize_channels_gradient"] = Graph(
            "%d: $T[2, 3], %x: $T[2, 3], %g: $T[3], %b: $T[3], %m: $T[3], %v: $T[3]",
            "%y: $T[2, 3], %e: $T[3], %f: $T[3], %h: $T[3], %i: $T[3] = normalize_channels_gradient(%d, %x, %g, %b, %m, %v) { epsilon: 0.001, activation: Relu }"),
        ["normalized_convolution"] = Graph(
            "%x: $T[1, 2, 2, 3], %w: $T[4, 1, 1, 3], %g: $T[3], %b: $T[3], %m: $T[3], %v: $T[3], %s: $T[], %z: $T[]",
            "%y: $T[1, 2, 2, 4], %e: $T[4], %f: $T[4] = normalized_convolution(%x, %w, %g, %b, %m, %v, %s, %z) { stride_h: 1, stride_w: 1, padding: Same, depthwise: false, dilation_h: 1, dilation_w: 1, epsilon: 0.001, activation: Relu, low: -128, high: 127, statistics: true }"),
        ["normalized_convolution_gradient"] = Graph(
            "%d: $T[1, 2, 2, 4], %dm: $T[4], %dv: $T[4], %y: $T[1, 2, 2, 4], %ym: $T[4], %x: $T[1, 2, 2, 3], %w: $T[4, 1, 1, 3], %g: $T[3], %b: $T[3], %m: $T[3], %v: $T[3], %s: $T[], %z: $T[]",
            "%dx: $T[1, 2, 2, 3], %dw: $T[4, 1, 1, 3], %h: $T[3], %i: $T[3], %j: $T[3], %k: $T[3], %l: $T[] = normalized_convolution_gradient(%d, %dm, %dv, %y, %ym, %x, %w, %g, %b, %m, %v, %s, %z) { stride_h: 1, stride_w: 1, padding: Same, depthwise: false, dilation_h: 1, dilation_w: 1, epsilon: 0.001, activation: Relu, low: -128, high: 127, statistics: true, of_input: true, of_step: true }"),
        ["not_equal"] = Binary("not_equal", result: "bool[2, 3]"),
        ["one_hot"] = Graph(
            "%i: i32[2], %on: $T[]$Q, %off: $T[]$Q", "@d: i32[] = [3] %y: $T[2, 3]$Q = one_hot(%i, @d, %on, %off) { axis: -1 }"),
        ["pack"] = Graph("%a: $T[2]$Q, %b: $T[2]$Q", "%y: $T[2, 2]$Q = pack(%a, %b) { count: 2, axis: 0 }"),
        ["pad"] = Graph("%x: $T[2, 3]$Q", "@p: i32[2, 2] = [0, 0, 1, 1] %y: $T[2, 5]$Q = pad(%x, @p)"),
        ["padv2"] = Graph("%x: $T[2, 3]$Q, %v: $T[]$Q", "@p: i32[2, 2] = [0, 0, 1, 1] %y: $T[2, 5]$Q = padv2(%x, @p, %v)"),
        ["pow"] = Binary("pow"),
        ["prelu"] = Graph("%x: $T[1, 2, 2, 3]$Q, %alpha: $T[1, 1, 3]$Q", "%y: $T[1, 2, 2, 3]$Q = prelu(%x, %alpha)"),
        ["quantize"] = Graph("%x: $T[2, 3] scale=0.5 zero=0", """%y: i8[2, 3] scale=0.25 zero=0 = quantize(%x) { to: "declared" }"""),
        ["range"] = Graph("%start: $T[], %limit: $T[], %delta: $T[]", "%y: $T[?] = range(%start, %limit, %delta)"),
        ["rank"] = Graph("%x: $T[2, 3]$Q", "%y: i32[] = rank(%x)"),
        ["read_variable"] = Resource,
        ["reduce_all"] = Reduce("reduce_all"),
        ["reduce_any"] = Reduce("reduce_any"),
        ["reduce_max"] = Reduce("reduce_max"),
        ["reduce_min"] = Reduce("reduce_min"),
        ["reduce_prod"] = Reduce("reduce_prod"),
        ["relu"] = Unary("relu"),
        ["relu6"] = Unary("relu6"),
        ["relu_0_to_1"] = Unary("relu_0_to_1"),
        ["relu_n1_to_1"] = Unary("relu_n1_to_1"),
        ["reshape"] = Unary("reshape", "{ shape: [3, 2] }", "$T[3, 2]$Q"),
        ["resize_bilinear"] = Resize("resize_bilinear"),
        ["resize_bilinear_gradient"] = Graph(
            "%x: $T[1, 3, 3, 1]", "%y: $T[1, 2, 2, 1] = resize_bilinear_gradient(%x) { height: 2, width: 2, align_corners: false, half_pixel_centers: false }"),
        ["resize_nearest_neighbor"] = Resize("resize_nearest_neighbor"),
        ["resize_nearest_neighbor_gradient"] = Graph(
            "%x: $T[1, 3, 3, 1]", "%y: $T[1, 2, 2, 1] = resize_nearest_neighbor_gradient(%x) { height: 2, width: 2, align_corners: false, half_pixel_centers: false }"),
        ["reverse_v2"] = Graph("%x: $T[2, 3]$Q", "@axes: i32[1] = [1] %y: $T[2, 3]$Q = reverse_v2(%x, @axes)"),
        ["round"] = Unary("round"),
        ["rsqrt"] = Unary("rsqrt"),
        ["scatter_nd"] = Graph(
            "%i: i32[2, 1], %u: $T[2, 3]$Q", "@s: i32[2] = [4, 3] %y: $T[4, 3]$Q = scatter_nd(%i, %u, @s)"),
        ["select"] = Graph("%c: bool[2], %a: $T[2, 3]$Q, %b: $T[2, 3]$Q", "%y: $T[2, 3]$Q = select(%c, %a, %b)"),
        ["select_v2"] = Graph("%c: bool[2, 1], %a: $T[2, 3]$Q, %b: $T[3]$Q", "%y: $T[2, 3]$Q = select_v2(%c, %a, %b)"),
        ["shape"] = Graph("%x: $T[2, 3]$Q", "%y: i32[2] = shape(%x) { wide: false }"),
        ["sign"] = Unary("sign"),
        ["sin"] = Unary("sin"),
        ["slice"] = Graph("%x: $T[2, 3]$Q", "@b: i32[2] = [0, 1] @s: i32[2] = [2, 2] %y: $T[2, 2]$Q = slice(%x, @b, @s)"),
        ["softmax"] = Unary("softmax", "{ beta: 1.0 }", "$T[2, 3]$P"),
        ["space_to_batch_nd"] = Graph(
            "%x: $T[1, 2, 4, 1]$Q",
            "@b: i32[2] = [2, 2] @p: i32[2, 2] = [0, 0, 0, 0] %y: $T[4, 1, 2, 1]$Q = space_to_batch_nd(%x, @b, @p)"),
        ["space_to_depth"] = Graph("%x: $T[1, 2, 4, 1]$Q", "%y: $T[1, 1, 2, 4]$Q = space_to_depth(%x) { block: 2 }"),
        ["split"] = Graph("%x: $T[4, 3]$Q", "@axis: i32[] = [0] %y: $T[2, 3]$Q, %z: $T[2, 3]$Q = split(@axis, %x) { parts: 2 }"),
        ["split_v"] = Graph(
            "%x: $T[4, 3]$Q",
            "@sizes: i32[2] = [1, 3] @axis: i32[] = [0] %y: $T[1, 3]$Q, %z: $T[3, 3]$Q = split_v(%x, @sizes, @axis) { parts: 2 }"),
        ["sqrt"] = Unary("sqrt"),
        ["square"] = Unary("square"),
        ["squared_difference"] = Binary("squared_difference"),
        ["squeeze"] = Graph("%x: $T[1, 2, 3]$Q", "%y: $T[2, 3]$Q = squeeze(%x) { axes: [0] }"),
        ["strided_slice"] = Graph(
            "%x: $T[4, 3]$Q",
            """
            @b: i32[2] = [0, 0] @e: i32[2] = [2, 3] @s: i32[2] = [1, 1]
            %y: $T[2, 3]$Q = strided_slice(%x, @b, @e, @s) { begin_mask: 0, end_mask: 0, ellipsis_mask: 0, new_axis_mask: 0, shrink_axis_mask: 0, offset: false }
            """),
        ["sub"] = Binary("sub", "{ activation: None, pot_scale_int16: false }"),
        ["sum"] = Reduce("sum"),
        ["svdf"] = Graph(
            "%x: $T[1, 2]$Q",
            """
            @f: $T[2, 2]$Q = [1, 0, 0, 1] @t: $T[2, 3]$Q = [1, 1, 0, 0, 1, 1] var @s: $T[1, 6]$Q
            %y: $T[1, 2]$Q = svdf(%x, @f, @t, _, @s) { rank: 1, activation: None, asymmetric_quantize_inputs: false }
            """),
        ["tanh"] = Unary("tanh", result: "$T[2, 3]$N"),
        ["tile"] = Graph("%x: $T[2, 3]$Q", "@m: i32[2] = [1, 2] %y: $T[2, 6]$Q = tile(%x, @m)"),
        ["topk_v2"] = Graph("%x: $T[2, 3]$Q", "@k: i32[] = [2] %y: $T[2, 2]$Q, %i: i32[2, 2] = topk_v2(%x, @k)"),
        ["transpose"] = Graph("%x: $T[2, 3]$Q", "@p: i32[2] = [1, 0] %y: $T[3, 2]$Q = transpose(%x, @p)"),
        ["transpose_conv"] = Convolution(
            "$W[2, 1, 1, 1]$V = [1, 2]",
            """transpose_conv(@s, @w, %x, @b) { stride_h: 1, stride_w: 1, padding: Valid, activation: None, bias_type: "default" }"""),
        ["unidirectional_sequence_rnn"] = Graph(
            "%x: $T[1, 2, 1]$Q",
            """
            @w: $T[1, 1]$Q = [1] @r: $T[1, 1]$Q = [1] @b: $T[1]$Q = [0] var @s: $T[1, 1]$Q
            %y: $T[1, 2, 1]$Q = unidirectional_sequence_rnn(%x, @w, @r, @b, @s) { time_major: false, activation: None, asymmetric_quantize_inputs: false }
            """),
        ["unpack"] = Graph("%x: $T[2, 3]$Q", "%y: $T[3]$Q, %z: $T[3]$Q = unpack(%x) { num: 2, axis: 0 }"),
        ["var_handle"] = Resource,
        ["where"] = Graph("%x: $T[2, 3]$Q", "%y: i64[?, 2] = where(%x)"),
        ["while"] = """
            graph main(%x: $T[2]$Q) -> (%y) { %y: $T[2]$Q = while(%x) { condition: "c", body: "b" } }
            graph c(%x: $T[2]$Q) -> (@f) { @f: bool[1] = [false] }
            graph b(%x: $T[2]$Q) -> (%x) { }
            """,
        ["zeros_like"] = Unary("zeros_like"),
    };

    /// <summary>Float activations with 8-bit weights.</summary>
    public static IReadOnlyDictionary<string, string> HybridByOp { get; } = new Dictionary<string, string>
    {
        ["conv_2d"] = HybridOf("conv_2d"),
        ["depthwise_conv_2d"] = HybridOf("depthwise_conv_2d"),
        ["embedding_lookup"] = "graph main(%i: i32[2]) -> (%y) { @t: i8[3, 1] scale=0.5 zero=0 = [1, 2, 3] %y: f32[2, 1] = embedding_lookup(%i, @t) }",
        ["fully_connected"] = HybridOf("fully_connected"),
        ["transpose_conv"] = HybridOf("transpose_conv"),
    };

    /// <summary>Ops whose types cannot be told by a graph as simple as these.</summary>
    public static IReadOnlyDictionary<string, string> Unsampled { get; } = new Dictionary<string, string>
    {
        ["opaque_tflite"] = "is never executed",
        ["unidirectional_sequence_lstm"] = "carries the scales of its gates outside of the graph; reference models cover f32 and i8, unit tests i16",
    };

    private static string Resource => Graph(
        "%x: $T[2]$Q",
        """
        %h: resource[1] = var_handle() { container: "", shared_name: "v" }
        assign_variable(%h, %x)
        %y: $T[2]$Q = read_variable(%h)
        """);

    public static string Fill(string template, DType type)
    {
        bool quantized = type is DType.I8 or DType.U8 or DType.I16;
        (string weights, string bias) = type switch
        {
            DType.I8 => ("i8", "i32"),
            DType.U8 => ("u8", "i32"),
            DType.I16 => ("i8", "i64"),
            _ => (type.Name, type.Name),
        };
        (string probability, string signed) = type switch
        {
            DType.I8 => (" scale=0.00390625 zero=-128", " scale=0.0078125 zero=0"),
            DType.U8 => (" scale=0.00390625 zero=0", " scale=0.0078125 zero=128"),
            DType.I16 => (" scale=0.000030517578125 zero=0", " scale=0.000030517578125 zero=0"),
            _ => ("", ""),
        };

        // Elements are 0 and 1 and the like; those of a bool are words.
        string text = type is DType.Bool ? Words(template) : template;
        return text
            .Replace("$T", type.Name, StringComparison.Ordinal)
            .Replace("$Q", quantized ? " scale=0.5 zero=0" : "", StringComparison.Ordinal)
            .Replace("$W", weights, StringComparison.Ordinal)
            .Replace("$V", quantized ? " scale=0.5 zero=0" : "", StringComparison.Ordinal)
            .Replace("$B", bias, StringComparison.Ordinal)
            .Replace("$P", probability, StringComparison.Ordinal)
            .Replace("$N", signed, StringComparison.Ordinal)
            .Replace("$L", quantized ? " scale=0.0625 zero=127" : "", StringComparison.Ordinal);
    }

    private static string Words(string template) => System.Text.RegularExpressions.Regex.Replace(
        template,
        @"(\$[TWB]\[[^\]]*\](?:\$[A-Z])?) = \[([^\]]*)\]",
        match => $"{match.Groups[1]} = [{string.Join(", ", match.Groups[2].Value.Split(", ").Select(e => e == "0" ? "false" : "true"))}]");

    private static string Graph(string inputs, string body) => $"graph main({inputs}) -> (%y) {{ {body} }}";

    private static string Unary(string op, string attributes = "", string result = "$T[2, 3]$Q") =>
        Graph("%x: $T[2, 3]$Q", $"%y: {result} = {op}(%x) {attributes}");

    private static string Binary(string op, string attributes = "", string result = "$T[2, 3]$Q") =>
        Graph("%a: $T[2, 3]$Q, %b: $T[3]$Q", $"%y: {result} = {op}(%a, %b) {attributes}");

    private static string Reduce(string op) =>
        Graph("%x: $T[2, 3]$Q", $"@axes: i32[1] = [1] %y: $T[2]$Q = {op}(%x, @axes) {{ keep_dims: false }}");

    private static string Pool(string op) => Graph(
        "%x: $T[1, 4, 4, 2]$Q",
        $"%y: $T[1, 2, 2, 2]$Q = {op}(%x) {{ filter_h: 2, filter_w: 2, stride_h: 2, stride_w: 2, padding: Valid, activation: None }}");

    private static string Resize(string op) => Graph(
        "%x: $T[1, 2, 2, 1]$Q",
        $"@s: i32[2] = [3, 3] %y: $T[1, 3, 3, 1]$Q = {op}(%x, @s) {{ align_corners: false, half_pixel_centers: false }}");

    private static string Convolution(string weights, string op) => Graph(
        "%x: $T[1, 2, 2, 1]$Q",
        $"@s: i32[4] = [1, 2, 2, 2] @w: {weights} @b: $B[2] = [0, 0] %y: $T[1, 2, 2, 2]$Q = {op}");

    private static string HybridOf(string op) => Fill(
        ByOp[op].Replace("$W", "i8", StringComparison.Ordinal).Replace("$V", " scale=0.5 zero=0", StringComparison.Ordinal),
        DType.F32);
}
