import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(42)

# 1
(x, y), (x_test, y_test) = keras.datasets.mnist.load_data()
x, x_test = (images.reshape(-1, 784).astype("float32") / 255 for images in (x, x_test))

# 2
encoder = [layers.Dense(units, activation="relu") for units in (512, 256, 128)]
decoder = [layers.Dense(units, activation="relu") for units in (256, 512)]
decoder.append(layers.Dense(784, activation="sigmoid"))
dae = keras.Sequential([keras.Input((784,)), layers.Dropout(0.75), *encoder, *decoder])
dae.compile("adam", "binary_crossentropy")
dae.fit(x, x, batch_size=256, epochs=3, verbose=2)

# 3
noisy = x_test * np.random.default_rng(42).binomial(1, 0.25, x_test.shape) / 0.25
error_noisy = np.mean((noisy - x_test) ** 2)
error_denoised = np.mean((dae.predict(noisy, verbose=0) - x_test) ** 2)

# 4
few = np.random.default_rng(42).choice(len(x), 500, replace=False)


def train(hidden, learning_rate):
    dropped = [layer for dense in hidden for layer in (dense, layers.Dropout(0.3))]
    ends = [keras.Input((784,)), layers.Dropout(0.5)], [layers.Dense(10, activation="softmax")]
    network = keras.Sequential(ends[0] + dropped + ends[1])
    network.compile(keras.optimizers.Adam(learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    network.fit(x[few], y[few], batch_size=50, epochs=80, verbose=0)
    return network


without = train([layers.Dense(units, activation="relu") for units in (512, 256, 128)], learning_rate=0.001)
with_dae = train(encoder, learning_rate=0.0003)

# 5
accuracy_without, accuracy_with = (network.evaluate(x_test, y_test, verbose=0)[1] for network in (without, with_dae))
print(f"accuracy with pre-training {accuracy_with:.4f}, without {accuracy_without:.4f}")
