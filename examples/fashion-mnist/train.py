"""Trains a small convolutional network on Fashion-MNIST: 28 x 28 images of ten kinds of clothes.

Nothing of plz is imported: the job reads the file that CONFIGURATION_FILE names, and writes files.
"""
import gzip
import json
import os
import struct
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

LABELS = ["T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot"]


def read_idx(path):
    """The bytes of an IDX file (http://yann.lecun.com/exdb/mnist), gzipped, as a tensor."""
    data = bytearray(gzip.decompress(path.read_bytes()))
    zeros, kind, dimensions = struct.unpack_from(">HBB", data)
    if zeros != 0 or kind != 8:
        raise ValueError(f"{path} holds no unsigned bytes in the IDX format")
    shape = struct.unpack_from(f">{dimensions}I", data, 4)
    return torch.frombuffer(data, dtype=torch.uint8, offset=4 + 4 * dimensions).reshape(shape)


def read_images_and_labels(directory, name):
    images = read_idx(directory / f"{name}-images-idx3-ubyte.gz").unsqueeze(1).float() / 255
    labels = read_idx(directory / f"{name}-labels-idx1-ubyte.gz").long()
    return (images - 0.286) / 0.353, labels  # the mean and the deviation of the training images


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 16, 3, padding=1)
        self.second = nn.Conv2d(16, 32, 3, padding=1)
        self.hidden = nn.Linear(32 * 7 * 7, 128)
        self.answer = nn.Linear(128, len(LABELS))

    def forward(self, images):
        features = F.max_pool2d(F.relu(self.first(images)), 2)
        features = F.max_pool2d(F.relu(self.second(features)), 2)
        features = F.dropout(F.relu(self.hidden(features.flatten(1))), 0.3, self.training)
        return self.answer(features)


def train_epoch(network, optimizer, images, labels, batch_size):
    network.train()
    total = 0.0
    for batch in torch.randperm(len(images)).split(batch_size):
        optimizer.zero_grad()
        loss = F.cross_entropy(network(images[batch]), labels[batch])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(images)


@torch.no_grad()
def classify(network, images):
    network.eval()
    return torch.cat([network(batch).argmax(1) for batch in images.split(1000)])


def write_measure(directory, name, value):
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def write_confusion(path, labels, answers):
    """A row for each kind, with how many of its images were taken for which."""
    counts = torch.bincount(labels * len(LABELS) + answers, minlength=len(LABELS) ** 2).reshape(len(LABELS), -1)
    with path.open("w") as file:
        print(" " * 10, *(f"{label:>9}" for label in LABELS), file=file)
        for label, row in zip(LABELS, counts.tolist()):
            print(f"{label:>10}", *(f"{count:9}" for count in row), file=file)


def main():
    configuration = json.loads(Path(os.environ["CONFIGURATION_FILE"]).read_text())
    parameters = configuration["parameters"]
    output = Path(configuration["output_directory"])
    measures = Path(configuration["measures_directory"])

    # The same seed and the same number of threads give the same model, bit by bit.
    torch.manual_seed(parameters["seed"])
    torch.set_num_threads(parameters["threads"])
    torch.use_deterministic_algorithms(True)

    data = Path(configuration["input_directory"])
    images, labels = read_images_and_labels(data, "train")
    test_images, test_labels = read_images_and_labels(data, "t10k")
    print(f"{len(images)} images to learn from, {len(test_images)} to test with")

    network = Network()
    optimizer = torch.optim.Adam(network.parameters(), lr=parameters["learning_rate"])
    summary = {}
    for epoch in range(1, parameters["epochs"] + 1):
        began = time.monotonic()
        loss = train_epoch(network, optimizer, images, labels, parameters["batch_size"])
        answers = classify(network, test_images)
        accuracy = (answers == test_labels).float().mean().item()
        write_measure(measures, f"epoch/{epoch}/loss", loss)
        write_measure(measures, f"epoch/{epoch}/accuracy", accuracy)
        print(f"epoch {epoch}: loss {loss:.4f}, accuracy {accuracy:.4f}, {time.monotonic() - began:.1f} s", flush=True)
        summary = {"epochs": epoch, "loss": loss, "accuracy": accuracy}

    Path(configuration["summary_measures_path"]).write_text(json.dumps(summary))
    torch.save(network.state_dict(), output / "model.pt")
    write_confusion(output / "confusion.txt", test_labels, classify(network, test_images))


if __name__ == "__main__":
    main()
