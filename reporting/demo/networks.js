// The corruptions and the networks of dae/core. Images are arrays of pixels in [0, 1].

// of one pixel; `uniform` is a random number in [0, 1), `normal` one of mean 0 and variance 1
const corruptions = {
  masking: (pixel, level, uniform) => uniform < level ? 0 : pixel,
  gaussian: (pixel, level, uniform, normal) => Math.min(1, Math.max(0, pixel + level * normal)),
  salt_and_pepper: (pixel, level, uniform) => uniform < level ? Number(uniform < level / 2) : pixel,
};

// what a network is given: masked images get the mean brightness of clean ones, as in dae.core.images.rescale
function rescale(noisy, corruption, level) {
  return corruption === "masking" && level > 0 && level < 1 ? noisy.map(pixel => pixel / (1 - level)) : noisy;
}

function decode(Type, text) {
  return new Type(Uint8Array.from(atob(text), letter => letter.charCodeAt(0)).buffer);
}

// a network's layers, from texts in base64; see dae.quantisation for kernel and steps
function network(layers) {
  return layers.map(layer => ({
    kernel: decode(layer.bits === 8 ? Int8Array : Int16Array, layer.kernel),
    steps: decode(Float32Array, layer.steps),
    bias: decode(Float32Array, layer.bias),
  }));
}

// of a hidden layer, ReLU
const hidden = sums => sums.map(sum => Math.max(0, sum));

function dense({kernel, steps, bias}, inputs) {
  const sums = new Float64Array(bias.length);
  inputs.forEach((input, row) => {
    if (input) for (let unit = 0, place = row * sums.length; unit < sums.length; unit++, place++) sums[unit] += input * kernel[place];
  });
  return sums.map((sum, unit) => sum * steps[unit] + bias[unit]);
}

// the outputs of all layers; the last are logits
function outputsOf(layers, pixels) {
  const outputs = [];
  let inputs = pixels;
  layers.forEach((layer, depth) => {
    inputs = depth < layers.length - 1 ? hidden(dense(layer, inputs)) : dense(layer, inputs);
    outputs.push(inputs);
  });
  return outputs;
}

function sigmoid(logits) {
  return logits.map(logit => 1 / (1 + Math.exp(-logit)));
}

function softmax(logits) {
  const largest = Math.max(...logits), powers = logits.map(logit => Math.exp(logit - largest));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map(power => power / sum);
}
