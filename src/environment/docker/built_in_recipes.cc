#include "environment/docker/built_in_recipes.h"

namespace plz {
namespace {

// Debian forbids pip beside its own packages; an environment that sees them takes what is added.
constexpr const char* kVenv = "ENV VIRTUAL_ENV=/opt/plz/venv PATH=/opt/plz/venv/bin:$PATH";

// Packages that the base's Debian does not have are left out. A base without apt has Python already, or fails.
std::string install_line(const std::string& needed, const std::string& where_available) {
  return "RUN set -eu; if command -v apt-get >/dev/null; then export DEBIAN_FRONTEND=noninteractive; apt-get update; "
         "more=; for package in " +
         where_available +
         "; do "
         "if apt-cache show \"$package\" >/dev/null 2>&1; then more=\"$more $package\"; "
         "else echo \"There is no $package here\"; fi; done; "
         "apt-get install -y --no-install-recommends " +
         needed +
         " $more; "
         "apt-get clean; rm -rf /var/lib/apt/lists/*; fi; "
         "mkdir -p /opt/plz; python3 -m venv --system-site-packages /opt/plz/venv";
}

RecipeLayer debian_layer(const std::string& needed, const std::string& where_available) {
  return {.lines = {install_line(needed, where_available), kVenv}};
}

constexpr const char* kPython = "ca-certificates python3 python3-pip python3-venv";

// The part of an environment.yml that pip can install, one requirement a line.
constexpr const char* kEnvironmentScript = R"python(import re, sys

NOT_FOR_PIP = {"python", "pip", "cudatoolkit", "cudnn", "mkl", "nodejs", "pytorch-cuda", "cpuonly"}
NAMES = {"pytorch": "torch", "py-opencv": "opencv-python", "opencv": "opencv-python", "pytables": "tables"}


def requirement(text):
    text = text.split("::")[-1].strip().strip("'\"")
    found = re.match(r"([A-Za-z0-9._-]+)\s*(.*)", text)
    if not found or found[1].startswith("_") or found[1].lower() in NOT_FOR_PIP:
        return None
    name, version = NAMES.get(found[1].lower(), found[1]), found[2].replace(" ", "")
    if re.match(r"=[^=]", version):
        version = version[1:].split("=")[0]
        version = "==" + version + ("" if version.endswith("*") else ".*")
    return name + version


section, of_pip, indent_of_pip = "", False, 0
for line in open(sys.argv[1], encoding="utf-8"):
    line = re.sub(r"(^|\s)#.*", "", line.rstrip())
    if not line.strip():
        continue
    indent = len(line) - len(line.lstrip())
    if not line.lstrip().startswith("- "):
        section, of_pip = line.split(":")[0].strip(), False
        continue
    if section != "dependencies":
        continue
    item = line.lstrip()[2:].strip()
    if of_pip and indent > indent_of_pip:
        print(item.strip("'\""))
    elif item == "pip:":
        of_pip, indent_of_pip = True, indent
    else:
        of_pip = False
        needed = requirement(item)
        if needed:
            print(needed)
)python";

constexpr const char* kEnvironmentRun =
    "RUN set -eu; cd /opt/plz; "
    "if command -v micromamba >/dev/null; then micromamba install -y -n base -f environment.yml; "
    "elif command -v mamba >/dev/null; then mamba env update -n base -f environment.yml; "
    "elif command -v conda >/dev/null; then conda env update -n base -f environment.yml; "
    "else python3 plz-environment.py environment.yml >environment-requirements.txt; "
    "cat environment-requirements.txt; pip install --no-cache-dir -r environment-requirements.txt; fi";

}  // namespace

std::optional<RecipeLayer> built_in_recipe(std::string_view image) {
  const std::string python = kPython;
  if (image == "plz/python") return debian_layer(python, "");
  if (image == "plz/pytorch") return debian_layer(python + " python3-torch", "python3-torchvision");
  return std::nullopt;
}

std::string built_in_recipe_names() { return "plz/python and plz/pytorch"; }

std::vector<std::string> requirements_files() { return {"requirements.txt", "environment.yml"}; }

RecipeLayer requirements_layer(std::string_view file) {
  if (file == "environment.yml")
    return {.lines = {"COPY environment.yml plz-environment.py /opt/plz/", kEnvironmentRun},
            .texts = {{"plz-environment.py", kEnvironmentScript}}};
  return {.lines = {"COPY requirements.txt /opt/plz/requirements.txt",
                    "RUN pip install --no-cache-dir -r /opt/plz/requirements.txt"}};
}

}  // namespace plz
